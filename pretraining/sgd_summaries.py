"""Compose summaries of SGD dialogues from their dialogue acts, true to what is said in the turns given.

`read_goals` walks through the acts and gathers, for each thing the user wants, what was wished, offered, asked, told,
confirmed, and how it ended. `compose` says that in words: many phrasings, one to six sentences. Only values that stand
in the turns' text are used (see `corpora.read_sgd`), so a window of a dialogue gets a summary of that window.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from pretraining.corpora import Turn
from pretraining.sgd_phrases import (
    BEFORE,
    DATES,
    DOMAINS,
    FACTS,
    NOUNS,
    SERVICES,
    SLOTS,
    TIMES,
    Domain,
    bare_date,
    bare_time,
    fill,
    inflect,
    on_date,
)
from pretraining.speakers import Person, start_upper

Values = dict[str, str]
OFFERED_ALIKE = {"weather", "bank", "calendar"}  # domains where an "offer" is the answer to a question


@dataclass
class Offer:
    """Something the system suggests; `outcome` is chosen, refused or nothing yet."""

    values: Values
    outcome: str = ""
    instead: bool = False  # suggested after what was wanted proved impossible


@dataclass
class Goal:
    """One thing the user wants, and what became of it."""

    domain: str
    intent: str = ""
    proposed: bool = False  # by the system, not by the user
    wants: Values = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    more: Values = field(default_factory=dict)  # wishes added after an offer was refused
    asked: list[str] = field(default_factory=list)
    told: Values = field(default_factory=dict)
    prompted: list[str] = field(default_factory=list)  # what the system asked for
    replied: Values = field(default_factory=dict)  # what the user gave when asked
    confirm: Values = field(default_factory=dict)
    corrected: Values = field(default_factory=dict)
    failed: Values | None = None  # what was tried in vain
    outcome: str = ""  # done, failed
    declined: str = ""  # an intent that the user did not want


def read_goals(turns: Sequence[Turn]) -> list[Goal]:
    """The goals of the user, in order, from the acts of the turns."""
    goals: list[Goal] = []
    goal: Goal | None = None
    offered_intent = ("", "")
    for turn in turns:
        user = turn.speaker == "USER"
        kinds = {a.act for a in turn.acts}
        news: Values = {}
        offer: Values = {}
        service = next((a.service for a in turn.acts if a.service), "")
        domain = SERVICES.get(service, "")
        intent = next((a.values[0] for a in turn.acts if a.act == "INFORM_INTENT" and a.values), "")
        if user and goal and goal.offers:
            last = goal.offers[-1]
            if "REQUEST_ALTS" in kinds:
                last.outcome = "refused"
            elif not last.outcome and kinds & {"SELECT", "AFFIRM"}:
                last.outcome = "chosen"
                narrow(last, next((a.values for a in turn.acts if a.act == "SELECT" and a.values), ()))
        if user and "NEGATE_INTENT" in kinds and goal and offered_intent[0] == goal.domain:
            goal.declined = offered_intent[1]
        if user and "AFFIRM_INTENT" in kinds and offered_intent[1] and not intent:
            goal = Goal(offered_intent[0], offered_intent[1], proposed=True)
            goals.append(goal)
        elif intent and domain:
            again = goal and goal.domain == domain and goal.intent == intent and goal.outcome == "failed"
            if not again:
                goal = Goal(domain, intent)
                goals.append(goal)
        elif domain and (goal is None or (goal.domain != domain and not user)):
            goal = Goal(domain)
            goals.append(goal)
        if goal is None:
            continue
        names = SLOTS.get(service, {})
        for act in turn.acts:
            if not act.slot or act.slot == "intent" or SERVICES.get(act.service) != goal.domain:
                continue
            slot = names.get(act.slot, act.slot)
            value = spoken_list(act.values, turn.text)
            if act.act == "REQUEST":
                (goal.asked if user else goal.prompted).append(slot)
            elif not value or value == "dontcare":
                continue
            elif act.act == "INFORM" and user:
                news[slot] = value
            elif act.act == "INFORM":
                goal.told[slot] = value
            elif act.act == "OFFER":
                offer[slot] = value
            elif act.act == "CONFIRM":
                goal.confirm[slot] = value
        if user:
            if "REQUEST_ALTS" in kinds:
                goal.more = news
            if "NEGATE" in kinds and news and goal.confirm:
                goal.corrected.update(news)
            if goal.outcome == "failed" and news:
                goal.corrected = dict(news)
            for slot, value in news.items():
                if slot in goal.prompted:
                    goal.replied[slot] = value
            goal.wants.update(news)
        else:
            if offer:
                goal.offers.append(Offer(offer, instead="NOTIFY_FAILURE" in kinds))
            if "NOTIFY_SUCCESS" in kinds:
                goal.outcome = "done"
            elif "NOTIFY_FAILURE" in kinds:
                goal.outcome = "failed"
                goal.failed = dict(goal.confirm)
        offered_intent = next(((domain, a.values[0]) for a in turn.acts if a.act == "OFFER_INTENT"), ("", ""))
    return goals


def narrow(offer: Offer, selected: Sequence[str]) -> None:
    """Of an offer `A, B or C`, keep the one that was selected by name."""
    names = offer.values.get("name", "")
    if " or " not in names:
        return
    match = next((n for n in names.replace(" or ", ", ").split(", ") if selected and n.lower() == selected[0].lower()), "")
    if match:
        offer.values["name"] = match
    else:
        offer.outcome = ""


def spoken_list(values: Sequence[str], text: str) -> str:
    """Values joined as in `A, B or C`, in the order of the text."""
    if len(values) < 2:
        return values[0] if values else ""
    ordered = sorted(values, key=text.find)
    return f"{', '.join(ordered[:-1])} or {ordered[-1]}"  # `narrow` reads this form


def plural(count: str, unit: str) -> str:
    """`2`, `ticket` -> `2 tickets`; one becomes `a ticket`."""
    if count.lower() in ("1", "one"):
        return f"a {unit}"
    return f"{count} {unit}s"


def say(values: Values, domain: Domain, base: Values) -> Values:
    """The values as templates take them: `slot_` bare, `slot` with its preposition, and counted things."""
    said = dict(base)
    for slot, value in values.items():
        if value in ("True", "False"):
            if slot == "subtitles":
                said[slot] = "with subtitles" if value == "True" else "without subtitles"
            continue
        if slot in DATES:
            said[slot], said[f"{slot}_"] = on_date(value), bare_date(value)
        elif slot in TIMES:
            said[f"{slot}_"] = bare_time(value)
            said[slot] = f"at {said[f'{slot}_']}"
        else:
            said[f"{slot}_"] = value
            said[slot] = f"{BEFORE[slot]} {value}" if slot in BEFORE else value
    if "device_" in said:
        said["device"] = said["device_on"] = f"on the {values['device'].replace(' or ', ' or the ')}"
    count = values.get("count")
    if count:
        if domain.unit == "people":
            one = count.lower() in ("1", "one")
            said["party"] = said["guests"] = f"for {count} {'person' if one else 'people'}"
        else:
            said["tickets"] = plural(count, domain.unit)
    for slot, key, unit in (
        ("rooms", "rooms", "room"),
        ("beds", "bedrooms", "bedroom"),
        ("baths", "bathrooms", "bathroom"),
        ("days", "nights", "night"),
    ):
        if slot in values:
            said[key] = plural(values[slot], unit)
    for slot in ("genre_", "kind_", "category_", "class_", "type_"):
        if slot in said and not said[slot].isupper():
            said[slot] = said[slot].lower()
    return said


class Teller:
    """Says goals in words, for one summary: who speaks, tense, and how much is told."""

    def __init__(self, rng: random.Random, user: Person, system: Person, *, past: bool, detail: float) -> None:
        self.rng = rng
        self.u, self.s = user, system
        self.past = past
        self.detail = detail
        self.base: Values = {"his": user.his, "u": str(user), "s": str(system)}

    def keep(self) -> bool:
        """Whether an optional detail is said."""
        return self.rng.random() < 0.6 + 0.4 * self.detail

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def fill_any(self, templates: Sequence[str], values: Values) -> str | None:
        """One of the templates, filled: a random one of those whose needs are met."""
        for template in self.rng.sample(templates, len(templates)):
            text = fill(template, values, self.keep)
            if text:
                return text
        return None

    def wish(self, goal: Goal, first: bool) -> str | None:
        """The sentence that says what the user wants."""
        domain = DOMAINS[goal.domain]
        wants = say(goal.wants, domain, self.base)
        u, s = self.u, self.s
        also = "" if first else self.pick("also ", "then ", "", "also ", "next ")
        if goal.intent in domain.items and self.rng.random() < 0.4:
            item = self.fill_any(domain.items[goal.intent], wants)
            if item:
                verb = self.pick(f"{u} <is> {also}looking for", f"{u} {also}<needs>", f"{u} {also}<asks> {s} for", f"{u} {also}<wants>")
                return f"{verb} {item}"
        goal_text = self.fill_any(domain.goals.get(goal.intent, ()), wants)
        if not goal_text:
            return None
        forms = [f"{u} {also}<wants> to", f"{u} {also}<wants> to", f"{u} would {also}like to", f"{u} {also}<needs> to"]
        if not goal_text.startswith(("know", "visit", "see", "go", "take", "fly", "travel", "stay", "eat", "hear", "listen", "watch", "get a", "move")):
            forms += [f"{u} {also}<asks> {s} to", f"{u} {also}<asks> {s} to", f"{s} <helps> {u}"]
        if goal_text.startswith("know ") and self.rng.random() < 0.6:
            return f"{u} {also}<asks>{self.pick('', f' {s}')} {'about ' if goal_text.startswith('know the ') else ''}{goal_text[5:]}"
        return f"{self.rng.choice(forms)} {goal_text}"

    def offered(self, goal: Goal) -> list[str]:
        """What was suggested and what the user said to it."""
        domain = DOMAINS[goal.domain]
        told: list[tuple[str, str]] = []
        for offer in goal.offers:
            if offer.instead:
                continue
            text = self.fill_any(domain.offer, say({**offer.values}, domain, self.base)) if domain.offer else None
            if text and all(text != t for t, _ in told):
                told.append((text, offer.outcome))
        u, s = self.u, self.s
        if not told:
            return []
        verb = self.pick("<suggests>", "<recommends>", "<offers>", "<finds>", "<proposes>", "<suggests>")
        refused = [t for t, outcome in told if outcome == "refused"]
        chosen = next((t for t, outcome in told if outcome == "chosen"), "")
        wish = self.added(goal) if refused else ""
        if len(refused) > 3:
            refused = []
        listed = " and ".join([", ".join(refused[:-1]), refused[-1]]) if len(refused) > 1 else "".join(refused)
        if chosen and refused and self.detail > 0.3:
            return [
                self.pick(
                    f"{s} {verb} {listed}, but {u} <asks> for something else{wish} and <chooses> {chosen}",
                    f"{u} <does> not want {listed}{wish and f' but something{wish}'} and <picks> {chosen}"
                    if self.past is False
                    else f"{u} <turns> down {listed} and <picks> {chosen}",
                    f"{u} <turns> down {listed} and <settles> on {chosen}",
                    f"after {s} {verb} {listed}, {u} <asks> for another option{wish} and <accepts> {chosen}",
                    f"{s} first {verb} {listed} and then {chosen}, which {u} <likes>",
                )
            ]
        if chosen:
            return [
                self.pick(
                    f"{s} {verb} {chosen}, and {u} <accepts>",
                    f"{s} {verb} {chosen} and {u} <agrees>",
                    f"{u} <chooses> {chosen}",
                    f"{s} {verb} {chosen}, which {u} <likes>",
                    f"{u} <likes> {s.s} suggestion, {chosen}",
                    f"{u} <decides> on {chosen}",
                )
            ]
        if refused:
            return [
                self.pick(
                    f"{s} {verb} {listed}, but {u} <asks> for something else{wish}",
                    f"{u} <does> not take {listed} and <asks> for other options{wish}"
                    if not self.past
                    else f"{u} <declines> {listed} and <asks> for other options{wish}",
                    f"{u} <rejects> {listed} and <wants> something else{wish}",
                )
            ]
        return [self.pick(f"{s} {verb} {told[-1][0]}", f"{s} {verb} {told[-1][0]} to {u}" if verb != "<finds>" else f"{s} <finds> {told[-1][0]}")]

    def added(self, goal: Goal) -> str:
        """Wishes added when asking for something else: ` in Palo Alto`."""
        said = say(goal.more, DOMAINS[goal.domain], self.base)
        return "".join(f" {said[k]}" for k in ("city", "date", "time", "area", "director", "artist") if k in said)

    def answers(self, goal: Goal) -> list[str]:
        """What a look-up found: a balance, the weather, show times."""
        domain = DOMAINS[goal.domain]
        told = []
        for offer in goal.offers:
            if domain.answer and (goal.domain in OFFERED_ALIKE or "time" in offer.values):
                text = self.fill_any(domain.answer, say(offer.values, domain, self.base))
                if text and text not in told:
                    told.append(text)
        if not told:
            return []
        told = told[-3:]
        text = " and that ".join(told)
        u, s = self.u, self.s
        return [self.pick(f"{s} <says> that {text}", f"{s} <tells> {u} that {text}", f"{u} <learns> that {text}", f"{s} <says> {told[-1]}")]

    def facts(self, goal: Goal) -> list[str]:
        """Facts that the user asked for and was told."""
        asked: list[str] = []
        clauses: list[str] = []
        for slot, value in goal.told.items():
            if slot not in FACTS:
                continue
            about, clause = FACTS[slot]
            if "|" in clause:
                yes, no = clause.split("|")
                if value not in ("True", "False"):
                    continue
                clause = yes if value == "True" else no
            elif value in ("True", "False"):
                continue
            asked.append(about)
            shown = bare_time(value) if slot in TIMES else bare_date(value) if slot in DATES else value
            clauses.append(clause.replace("{v}", shown))
        u, s = self.u, self.s
        if not clauses:
            open_questions = [FACTS[slot][0] for slot in goal.asked if slot in FACTS]
            if open_questions and self.detail > 0.4:
                return [f"{u} <asks> {self.ask(open_questions[:2])}"]
            return []
        if len(clauses) > 3:
            asked, clauses = asked[-3:], clauses[-3:]
        told = " and ".join(clauses) if len(clauses) < 3 else f"{clauses[0]}, {clauses[1]} and {clauses[2]}"
        forms = [f"{s} <tells> {u} that {told}", f"{s} <says> {told}", f"{s} <informs> {u} that {told}", f"{u} <learns> that {told}"]
        if len(asked) < 3:
            forms += [f"{u} <asks> {self.ask(asked)}, and {s} <says> {told}", f"when {u} <asks> {self.ask(asked)}, {s} <says> {told}"]
        return [self.rng.choice(forms)]

    def ask(self, asked: Sequence[str]) -> str:
        """`asks` needs: for the address, whether pets are allowed, about the price."""
        nouns = [what.removeprefix("about ") for what in dict.fromkeys(asked) if what.startswith(("the ", "about "))]
        clauses = [what for what in dict.fromkeys(asked) if not what.startswith(("the ", "about "))]
        return " and ".join(([f"{self.pick('for', 'about')} {' and '.join(nouns)}"] if nouns else []) + clauses)

    def given(self, goal: Goal) -> list[str]:
        """For a window without the wish itself: what the system asks for and the user gives."""
        replied = [(k, v) for k, v in goal.replied.items() if k in NOUNS and v not in ("True", "False")][-3:]
        u, s = self.u, self.s
        if replied:
            nouns = [NOUNS[k] for k, _ in replied]
            shown = [bare_time(v) if k in TIMES else bare_date(v) if k in DATES else v for k, v in replied]
            values = " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
            what = " and ".join([", ".join(nouns[:-1]), nouns[-1]]) if len(nouns) > 1 else nouns[0]
            return [
                self.pick(
                    f"{s} <asks> for {what}, and {u} <says> {values}",
                    f"{s} <asks> {u} for {what}, and {u} <gives> {values}",
                    f"{u} <gives> {values} as {what}" if len(nouns) == 1 else f"{u} <tells> {s} {what}: {values}",
                    f"{u} <says> that {nouns[0]} <is> {values}" if len(nouns) == 1 else f"{s} <asks> for {what}: {values}",
                )
            ]
        prompted = [NOUNS[k] for k in goal.prompted if k in NOUNS][:2]
        if prompted and not goal.offers and not goal.outcome:
            return [f"{s} <asks> {u} {self.pick('for', 'about')} {' and '.join(prompted)}"]
        return []

    def result(self, goal: Goal, just_wished: bool) -> list[str]:
        """How it ended: booked, failed, failed and then booked, something else instead."""
        domain = DOMAINS[goal.domain]
        u, s = self.u, self.s
        final = say({**goal.confirm, **({} if goal.outcome == "done" else goal.corrected)}, domain, self.base)
        out: list[str] = []
        thing = domain.thing
        if goal.failed is not None:
            tried = say(goal.failed, domain, self.base)
            when = f" {tried['time']}" if "time" in tried and goal.corrected.get("time") and self.keep() else ""
            trouble = [f"{thing} <cannot> be arranged{when}", f"{s} <cannot> arrange {thing}{when}", f"arranging {thing}{when} <fails>"]
            if thing == "the reservation":
                trouble = [f"{s} <cannot> make the reservation{when}", f"the reservation <cannot> be made{when}"]
            elif domain.books[0] == "<books>":
                trouble = [f"{thing} <cannot> be booked{when}", f"{s} <cannot> book {thing}{when}", f"booking {thing}{when} <fails>",
                           f"{s} <says> {thing} <cannot> be booked{when}"]  # fmt: skip
            text = self.rng.choice(trouble)
            instead = next((o for o in goal.offers if o.instead), None)
            changed = say(goal.corrected, domain, self.base)
            wishes = [changed[k] for k in ("name_", "date", "time") if k in changed][:2]
            if instead is not None and domain.offer:
                values = say(instead.values, domain, self.base)
                other = self.fill_any(domain.offer, values) or " ".join(values[k] for k in ("date", "time") if k in values)
                if other:
                    said = {"chosen": f", which {u} <accepts>", "refused": f", but {u} <declines>"}.get(instead.outcome, "")
                    text += f", so {s} <suggests> {other} instead{said}"
            elif wishes and goal.outcome == "done":
                text += f", so {u} <tries> {' '.join(wishes)}"
            elif wishes:
                text += f", and {u} <wants> to try {' '.join(wishes)}"
            out.append(text)
        if goal.outcome == "done":
            text = self.fill_any(domain.booked, final) or thing
            verb = self.rng.choice(domain.books)
            who = self.pick(str(s), str(s), str(u)) if goal.domain not in ("bank", "calendar", "media", "music") else str(s)
            if just_wished and self.rng.random() < 0.4:
                pronoun = "them" if thing.endswith("tickets") else "it"
                short = [f"{s} {verb} {pronoun}", f"{s} {verb} {thing}", f"{s} <arranges> this"]
                if "time" in final:
                    short.append(f"{s} {verb} {pronoun} {final['time']}")
                return [*out, self.rng.choice(short)]
            forms = [f"{who} {verb} {text}", f"{s} {verb} {text}"]
            if goal.domain not in ("calendar", "music", "media"):
                forms += [f"{s} <confirms> {text}"] if goal.domain != "bank" else []
                forms += [f"{s} {verb} {text} for {u}"] if goal.domain not in ("bank", "ride", "restaurant", "house", "home") else []
            if goal.corrected and goal.failed is None and self.detail > 0.5:
                changes = say(goal.corrected, domain, self.base)
                changed_to = next((changes[k + "_"] for k in ("date", "time", "name", "city") if k + "_" in changes), "")
                if changed_to:
                    out.append(f"{u} <changes> {self.changed_noun(goal)} to {changed_to}")
            out.append(("finally, " if out and self.rng.random() < 0.3 else "") + self.rng.choice(forms))
        elif not goal.outcome and goal.confirm:
            text = self.fill_any(domain.booked, final)
            if text:
                out.append(f"{s} <asks> {u} to confirm {text}")
        return out

    def changed_noun(self, goal: Goal) -> str:
        slot = next(k for k in ("date", "time", "name", "city") if k in goal.corrected)
        return {"date": "the date", "time": "the time", "name": "the choice", "city": "the city"}[slot]

    def declining(self, goal: Goal) -> list[str]:
        thing = DOMAINS[goal.domain].thing
        u = self.u
        return [
            self.pick(
                f"{u} <does> not want to make {thing} now" if thing == "the reservation" else f"{u} <does> not need {thing} for now",
                f"{u} <decides> not to go ahead with {thing} yet",
                f"{u} <does> not want {thing} yet",
            )
        ]

    def still_open(self, goals: Sequence[Goal], ended: bool) -> str:
        """The last sentence of the house style."""
        left = []
        for goal in goals:
            thing = DOMAINS[goal.domain].thing
            later_done = any(g.domain == goal.domain and g.outcome == "done" for g in goals)
            unfinished = not ended and goal is goals[-1] and goal.outcome != "done"
            if not later_done and (goal.outcome == "failed" or goal.declined or (unfinished and goal.intent)):
                left.append(thing)
        left = list(dict.fromkeys(left))
        return f"Still open: {' and '.join(left)}." if left else "Still open: nothing."


def compose(
    rng: random.Random, turns: Sequence[Turn], user: Person, system: Person, *, house_style: float = 0.45, brief: bool = False
) -> str | None:
    """A summary of the turns.

    Args:
        rng: decides phrasing, detail and tense.
        turns: consecutive turns of an SGD dialogue.
        user: who the user is in the summary; `system` likewise.
        house_style: how often a summary ends with what is still open.
        brief: one or two sentences, as in DialogSum; else up to six.

    Returns:
        The summary; None where the acts give nothing worth saying.
    """
    goals = read_goals(turns)
    goals = [g for g in goals if g.domain]
    if not goals:
        return None
    detail = rng.uniform(0.0, 0.75) if brief else rng.uniform(0.2, 1.0)
    if len(turns) <= 8:
        detail = max(detail, rng.uniform(0.5, 1.0))  # a short dialogue's summary can say all of it
    teller = Teller(rng, user, system, past=rng.random() < 0.07, detail=detail)
    sentences: list[str] = []
    for k, goal in enumerate(goals):
        follows = k > 0 and goals[k - 1].domain == goal.domain
        nxt = goals[k + 1] if k + 1 < len(goals) else None
        merged = nxt is not None and nxt.domain == goal.domain and nxt.outcome == "done" and detail < 0.3
        part: list[str] = []
        done = goal.outcome == "done"
        if goal.intent and not goal.proposed and not (follows and done):
            wish = teller.wish(goal, first=not sentences)
            if wish:
                part.append(wish)
        elif goal.intent and goal.proposed and not done and goal.outcome != "failed" and goal.confirm == {}:
            wish = teller.wish(goal, first=not sentences)
            if wish:
                part.append(wish)
        offers = teller.answers(goal) or teller.offered(goal)
        if offers and not merged and (detail > 0.25 or not done):
            part += offers
        if not part and not goal.offers and not goal.outcome or (detail > 0.85 and goal.replied):
            part += teller.given(goal)
        if (goal.told or goal.asked) and (detail > (0.55 if brief else 0.4) or not part):
            part += teller.facts(goal)
        part += teller.result(goal, just_wished=len(part) == 1 and not goal.offers and not goal.failed and bool(goal.intent))
        if goal.declined and detail > 0.35:
            part += teller.declining(goal)
        sentences += join_up(rng, part, teller)
    last = turns[-1].acts
    ended = any(a.act in ("GOODBYE", "THANK_YOU") for t in turns[-2:] for a in t.acts) or not last
    if not sentences:
        return None
    text = " ".join(start_upper(inflect(s, teller.past)) + "." for s in sentences)
    if rng.random() < (0.0 if brief else house_style):
        text += " " + teller.still_open(goals, ended)
    return text.replace("..", ".").replace(",,", ",")


def join_up(rng: random.Random, parts: list[str], teller: Teller) -> list[str]:
    """Some neighbouring sentences become one: `..., and ...`, or `X wants ... and books ...` with one subject."""
    out: list[str] = []
    for part in parts:
        if out and len(out[-1]) + len(part) < 150 and ", and " not in out[-1] and rng.random() < 0.4:
            same = [str(p) for p in (teller.u, teller.s) if out[-1].startswith(f"{p} ") and part.startswith(f"{p} ")]
            if same and "," not in out[-1]:
                out[-1] = f"{out[-1]} and {part[len(same[0]) + 1 :]}"
            else:
                out[-1] = f"{out[-1]}{rng.choice((', and ', ', and ', '; '))}{part}"
        else:
            out.append(part)
    return out
