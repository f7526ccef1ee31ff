"use strict";
// The list of examples and the sortable tables. Texts only ever become text nodes, so nothing in them can be markup.
(() => {
  const BATCH = 25;
  const data = JSON.parse(document.getElementById("examples-data").textContent);
  const items = data.items;
  const main = data.main;
  const metric = data.metrics[main];
  const byId = (id) => document.getElementById(id);
  const list = byId("example-list");

  function make(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  const score = (item, system) => item.outputs[system].scores[main];
  const unsupported = (item) => item.outputs[0].unsupported.length;
  const words = (item) => item.words ?? (item.words = item.turns.reduce((n, turn) => n + turn[1].split(/\s+/).filter(Boolean).length, 0));
  const gain = (item) => (data.rival === null ? 0 : score(item, 0) - score(item, data.rival));
  const signed = (value) => { const text = value.toFixed(1); return Number(text) === 0 ? "0.0" : (value > 0 ? "+" : "") + text; };
  const hay = (item) => item.hay ?? (item.hay = [item.id, item.topic || "", ...item.speakers, ...item.turns.map((t) => t[1]),
    ...item.references.map((r) => r.text), ...item.outputs.map((o) => o.text)].join("\n").toLowerCase());

  const ORDERS = {
    corpus: [() => 0, 1], worst: [(x) => score(x, 0), 1], best: [(x) => score(x, 0), -1], short: [words, 1], long: [words, -1],
    facts: [unsupported, -1], gain: [gain, -1], loss: [gain, 1],
  };

  // One text with its marks: the unsupported facts, and the parts that a turn supports.
  function marked(text, bad, support) {
    const cuts = [...new Set([0, text.length, ...bad.flatMap((b) => [b[0], b[1]]), ...support.flatMap((s) => [s[0], s[1]])])].sort((a, b) => a - b);
    const line = make("p");
    for (let i = 0; i + 1 < cuts.length; i++) {
      const part = text.slice(cuts[i], cuts[i + 1]);
      const inside = (span) => span[0] <= cuts[i] && cuts[i + 1] <= span[1];
      const wrong = bad.find(inside);
      const source = support.find(inside);
      if (wrong) {
        line.append(make("mark", { title: wrong[3] }, part));
        if (cuts[i + 1] === wrong[1]) line.append(make("span", { class: "hidden" }, " (not supported: " + wrong[3] + ") "));
      } else if (source) {
        line.append(make("span", { class: "sup", tabindex: 0, role: "button", "data-turn": source[2],
          title: "From turn " + (source[2] + 1), "aria-label": part + " (from turn " + (source[2] + 1) + ")" }, part));
      } else line.append(part);
    }
    return line;
  }

  function block(title, entry, colour, side) {
    const body = entry.text.trim() ? marked(entry.text, entry.unsupported, entry.support) : make("p", { class: "empty" }, "(empty summary)");
    const reasons = [...new Set(entry.unsupported.map((u) => "✕ " + u[2] + ": " + u[3]))].map((reason) => make("li", {}, reason));
    return make("div", { class: "text " + colour }, make("header", {}, make("h4", {}, title), side ? make("span", { class: "small" }, side) : null),
      body, reasons.length ? make("ul", { class: "reasons" }, ...reasons) : null);
  }

  function fill(details, item) {
    const turns = item.turns.map(([who, text], i) => make("li", { class: "turn " + (who < 0 ? "pn" : "p" + (who % 6)), "data-turn": i },
      who < 0 ? null : make("b", {}, item.speakers[who] + ": "), text));
    const left = make("div", { class: "turns", tabindex: 0, role: "region", "aria-label": "Dialogue " + item.id }, make("ol", {}, ...turns));
    const right = make("div");
    const others = make("details", { class: "others" }, make("summary", {}, "Baselines"));
    item.references.forEach((reference, i) => right.append(block(item.references.length > 1 ? "human " + (i + 1) : "human", reference, "", null)));
    item.outputs.forEach((output, i) => {
      const side = data.metrics.map((name, m) => name.replace("ROUGE-", "R-") + " " + output.scores[m].toFixed(1)).join(" · ") + (output.cut ? " · cut by the length limit" : "") + (output.read ? " · the model " + output.read : "");
      (data.folded.includes(i) ? others : right).append(block(data.systems[i], output, "c" + (i % 6), side));
    });
    if (data.folded.length) right.append(others);
    details.append(make("div", { class: "body" }, left, right));
  }

  function row(item) {
    const output = item.outputs[0];
    const bad = unsupported(item);
    const tags = make("span", { class: "tags" }, item.topic ? make("span", { class: "tag" }, item.topic) : null,
      bad ? make("span", { class: "tag bad" }, bad + " unsupported") : null, output.cut ? make("span", { class: "tag bad" }, "cut") : null,
      data.rival === null ? null : make("span", { class: "tag", title: metric + " against " + data.systems[data.rival] }, signed(gain(item)) + " against " + data.systems[data.rival]),
      make("span", { class: "tag" }, words(item) + " words"));
    const details = make("details", { class: "example" }, make("summary", {},
      make("span", { class: "score" }, make("span", { class: "hidden" }, metric + " "), score(item, 0).toFixed(1)),
      make("span", { class: "line" }, output.text.trim() || "(empty summary)"), tags));
    details.addEventListener("toggle", () => { if (details.open && !details.querySelector(".body")) fill(details, item); });
    return details;
  }

  let shown = [];
  let drawn = 0;
  function more() {
    const next = shown.slice(drawn, drawn + BATCH).map(row);
    list.append(...next);
    drawn += next.length;
    const left = shown.length - drawn;
    byId("more").hidden = left === 0;
    byId("more").textContent = "Show " + Math.min(BATCH, left) + " more";
    byId("count").textContent = shown.length === items.length ? items.length + " dialogues, " + drawn + " listed"
      : shown.length + " of " + items.length + " dialogues match, " + drawn + " listed";
    return next;
  }

  function redraw() {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const only = byId("only").value;
    const [key, sign] = ORDERS[byId("order").value];
    shown = items.filter((item) => wanted.every((word) => hay(item).includes(word))
      && (only !== "facts" || unsupported(item)) && (only !== "cut" || item.outputs[0].cut) && (only !== "empty" || !item.outputs[0].text.trim()));
    shown.sort((a, b) => sign * (key(a) - key(b)));
    list.replaceChildren();
    drawn = 0;
    more();
    for (const button of document.querySelectorAll("[data-order]")) button.setAttribute("aria-pressed", button.dataset.order === byId("order").value);
  }

  let timer = 0;
  byId("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(redraw, 120); });
  byId("order").addEventListener("change", redraw);
  byId("only").addEventListener("change", redraw);
  byId("more").addEventListener("click", () => { const next = more(); if (next[0]) next[0].firstChild.focus(); });
  byId("open").addEventListener("click", (event) => {
    const all = [...list.children];
    const open = all.some((details) => !details.open);
    for (const details of all) details.open = open;
    event.target.setAttribute("aria-pressed", open);
  });
  for (const button of document.querySelectorAll("[data-order]")) {
    button.addEventListener("click", () => { byId("order").value = button.dataset.order; redraw(); });
  }

  // Supporting turns: light up while pointed at or focused; a tap or Enter also scrolls the dialogue there.
  function light(from, on) {
    const body = from.closest(".body");
    const number = from.dataset.turn;
    for (const node of body.querySelectorAll('[data-turn="' + number + '"]')) node.classList.toggle("lit", on);
  }
  function goTo(from) {
    const box = from.closest(".body").querySelector(".turns");
    const turn = box.querySelector('.turn[data-turn="' + from.dataset.turn + '"]');
    const far = turn.getBoundingClientRect().top - box.getBoundingClientRect().top;
    box.scrollTop += far - (box.clientHeight - turn.clientHeight) / 2;
  }
  const part = (event, selector) => (event.target.closest ? event.target.closest(selector) : null);
  for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    list.addEventListener(name, (event) => { const from = part(event, "[data-turn]"); if (from) light(from, on); });
  }
  list.addEventListener("click", (event) => { const from = part(event, ".sup"); if (from) goTo(from); });
  list.addEventListener("focusin", (event) => { const from = part(event, ".sup"); if (from) goTo(from); });
  list.addEventListener("keydown", (event) => {
    const from = part(event, ".sup");
    if (from && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); goTo(from); }
  });

  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("thead th").forEach((head, column) => {
      head.querySelector("button")?.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending";
        table.querySelectorAll("thead th[aria-sort]").forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = (line) => { const v = line.cells[column].dataset.value; return v === "" || v === undefined ? -Infinity : Number(v); };
        const body = table.tBodies[0];
        body.append(...[...body.rows].sort((a, b) => (up ? 1 : -1) * (value(a) - value(b))));
      });
    });
  }

  // What is folded on the screen would be missing on paper: the tables' details are opened for it; examples stay as the reader left them.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details.method:not([open])")];
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of folded) details.open = false; });

  redraw();
  if (list.firstChild) list.firstChild.open = true;
})();
