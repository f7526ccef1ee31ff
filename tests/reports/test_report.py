"""The report's files: complete, true to the figures, safe with any text, and free of requests."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from diasum.claims.sentence_checks import check_summary
from diasum.config import Settings
from diasum.data import Corpus, Pair
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from diasum.evaluation.evaluate import Evaluated
from diasum.evaluation.metrics import score_systems
from diasum.evaluation.predictions import Prediction, read_predictions
from diasum.evaluation.repeats import Repeated
from diasum.evaluation.statistics.bootstrap import share_interval
from diasum.reports.content import build_report
from diasum.reports.evaluation import write_evaluation
from diasum.reports.rendering import TEMPLATES, markdown, script_json, signed
from diasum.reports.sentence_checks import SentenceChecks, SentenceTally, with_repeats
from diasum.training import Run
from tests.evaluation.examples import PAIRS

EVIL = "</script><script>alert(1)</script>\"'&<!-- {{ 7*7 }} | \u2028 x"
VOID = {"meta", "input", "br", "hr", "link", "img", "path", "use", "rect"}


class Page(HTMLParser):
    """What a test asks of a page; unbalanced tags are an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def examples(self) -> dict:
        return json.loads(self.scripts[0])


def made(pairs: list[Pair], systems: dict[str, list[str]], system: str | None = None) -> Evaluated:
    predictions = {
        n: [Prediction.of_text(p.id, t) for p, t in zip(pairs, texts, strict=True)] for n, texts in systems.items()
    }
    system = system or next(iter(predictions))
    evaluation = score_systems(pairs, predictions, resamples=200, reference_system=system)
    return Evaluated(evaluation, pairs, predictions, system)


def three_systems() -> Evaluated:
    texts = {
        "adapter": ["Ben will send Zoe the report at eleven.", "The cat is in the garden.", "Dora has a headache."],
        "base": ["Anna: Hi Ben.", "", "Take some rest."],
        "lead3": [pair.dialogue.text for pair in PAIRS],
    }
    return made(PAIRS, texts)


def write(folder: Path, evaluated: Evaluated, run: Run | None = None) -> tuple[Page, dict, str]:
    corpus = Corpus("talks", {"test": evaluated.pairs}, license="cc-by-4.0")
    write_evaluation(folder, build_report(evaluated, corpus, run))
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return page, metrics, (folder / "report.md").read_text(encoding="utf-8")


def test_files_hold_the_same_figures(tmp_path: Path) -> None:
    evaluated = three_systems()
    page, metrics, text = write(tmp_path, evaluated)
    assert evaluated.folder == tmp_path
    assert metrics["files"] == ["predictions.base.jsonl", "predictions.jsonl", "predictions.lead3.jsonl"]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [*metrics["files"], "metrics.json", "report.html", "report.md"]
    )
    for values in metrics["systems"].values():
        for name in metrics["protocol"]["metrics"]:
            cell = values[name]
            figures = [f"{cell[key]:.1f}" for key in ("mean", "low", "high")]
            assert f"{figures[0]} {figures[1]} to {figures[2]}" in page.text
            assert f"{figures[0]} ({figures[1]} to {figures[2]})" in text
    for row in metrics["differences"]:
        if row["metric"] == "rougeL":
            assert f"{signed(row['mean'])} {signed(row['low'])} to {signed(row['high'])}" in page.text
    for name in ("adapter", "base", "lead3"):
        rows = read_predictions(
            tmp_path / ("predictions.jsonl" if name == "adapter" else f"predictions.{name}.jsonl"), PAIRS
        )
        assert rows == evaluated.evaluation.predictions[name]
    first = json.loads((tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["unsupported"] == 1
    assert first["rougeL"] == pytest.approx(evaluated.evaluation.scores["adapter"]["rougeL"][0], abs=1e-3)


def test_facts_are_marked_in_the_summary(tmp_path: Path) -> None:
    page, metrics, text = write(tmp_path, three_systems())
    output = page.examples["items"][0]["outputs"][0]
    ((start, end, kind, reason),) = output["unsupported"]
    assert (output["text"][start:end], kind) == ("Zoe", "name")
    assert "Zoe" in reason
    assert markdown(reason) in text
    found = metrics["faithfulness"]
    assert found["systems"]["adapter"]["counts"]["name"] == 1
    assert found["systems"]["adapter"]["shares"]["any"]["mean"] == pytest.approx(1 / 3, abs=1e-5)
    assert found["references"]["n"] == 3
    assert found["references"]["shares"]["any"]["mean"] == 0
    for start, end, turn in output["support"]:
        assert 0 <= start < end <= len(output["text"])
        assert 0 <= turn < len(PAIRS[0].dialogue)
    assert any(turn == 1 and "eleven" in output["text"][start:end] for start, end, turn in output["support"])


def test_sentences_are_counted_by_what_was_found(tmp_path: Path) -> None:
    page, metrics, text = write(tmp_path, three_systems())
    found = metrics["faithfulness"]["sentences"]
    adapter, human = found["systems"]["adapter"], found["references"]
    assert sum(adapter["verdicts"].values()) == adapter["n"] >= 3
    flagged = adapter["verdicts"]["check"] + adapter["verdicts"]["unsupported"]
    checked = adapter["n"] - adapter["verdicts"]["not checked"]
    assert flagged >= 1, "Zoe is nobody here"
    assert adapter["flagged"]["mean"] == pytest.approx(flagged / checked, abs=1e-5)
    assert 0 < human["review"] < adapter["review"] < 1
    said = f"{100 * flagged / checked:.1f}% of the sentences of adapter are flagged"
    assert f"of the {checked} that were checked, of {adapter['n']}." in page.text
    assert said in page.text
    assert said in text.replace("\\", "")


def test_what_was_checked_otherwise_is_not_compared() -> None:
    def tally(supported: int, not_checked: int) -> SentenceTally:
        band = share_interval([0.0] * supported) if supported else None
        verdicts = {"supported": supported, "check": 0, "unsupported": 0, "not checked": not_checked}
        return SentenceTally(verdicts, band, 0.1)

    checks = SentenceChecks({"alike": tally(20, 1), "other": tally(10, 10), "none": tally(0, 5)}, tally(30, 1))
    assert checks.to_json()["compared"] == ["alike"]
    assert "human" in checks.sentence("alike")
    assert "human" not in checks.sentence("other")
    assert "50.0% of its 20 could not be checked" in checks.sentence("other")
    assert checks.sentence("none").startswith("No sentence of none was checked further")


def test_a_sentence_that_many_summaries_share_is_to_be_looked_at() -> None:
    talk = parse_dialogue("Ben: The umbrella is in the bus.\nAna: Thank you for the umbrella.")
    shared, own = "Ana thanks Ben for the umbrella.", "Ben tells Ana that the umbrella is in the bus."
    texts = [f"{own} {shared}", own]
    checks = [check_summary(text, talk) for text in texts]
    assert {one.verdict for check in checks for one in check.sentences} == {"supported"}
    first, second = with_repeats(checks, texts, [Repeated(shared, ("a", "b", "c"), 50)])
    assert [one.verdict for one in first.sentences] == ["supported", "check"]
    assert first.sentences[1].reasons == ("“Ana thanks Ben for the umbrella.” is in 3 of 50 summaries.",)
    assert second == checks[1]
    assert with_repeats(checks, texts, []) == checks


def test_offsets_count_as_browsers_do(tmp_path: Path) -> None:
    text = "😀 Ben will send Zoe the report."
    page, _, _ = write(tmp_path, made(PAIRS[:1], {"model": [text]}))
    ((start, end, *_),) = page.examples["items"][0]["outputs"][0]["unsupported"]
    assert text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le") == "Zoe"


def test_nothing_is_requested_and_headings_are_in_order(tmp_path: Path) -> None:
    page, _, _ = write(tmp_path, three_systems())
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in raw
    for tag, attributes in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "action", "data"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"@import|url\((?!#)", raw)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for name in ("aria-labelledby", "href"):
            target = attributes.get(name) or ""
            assert not target or target.removeprefix("#") in ids
    assert sum("aria-sort" in attributes for tag, attributes in page.tags if tag == "th") > 4


def test_any_text_stays_text(tmp_path: Path) -> None:
    dialogue = Dialogue((Turn(EVIL[:20], EVIL), Turn("", "plain")))
    pairs = [Pair(EVIL, dialogue, (EVIL, "b"), EVIL), Pair("b", dialogue, ("b",), None)]
    evaluated = made(pairs, {EVIL: [EVIL, "b"], "$x_1$": ["c", "d"], "_y": ["c", "d"]})
    evaluated.evaluation.notes.append(EVIL)
    corpus = Corpus(EVIL, {"test": pairs}, license=EVIL)
    run = Run(tmp_path / "<b>run&amp;<i>")
    run.start(Settings())
    write_evaluation(tmp_path / "out", build_report(evaluated, corpus, run))
    page = Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert len(page.scripts) == 2
    assert all("alert(1)" not in attributes.get("onerror", "") for _, attributes in page.tags)
    item = page.examples["items"][0]
    assert (item["id"], item["topic"], item["references"][0]["text"], item["outputs"][0]["text"]) == (EVIL,) * 4
    assert item["turns"] == [[0, EVIL], [-1, "plain"]]
    assert "<b>run&amp;<i>" in page.text
    assert "{{ 7*7 }}" in page.text
    raw = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "<script>" not in raw.replace("\\<script\\>", "")
    assert all(name.startswith("predictions.") and "/" not in name for name in
               json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))["files"])  # fmt: skip


def test_a_difference_that_rounds_to_nothing_has_no_sign() -> None:
    assert [signed(x) for x in (-0.04, 0.0, 0.04, -0.06, 1.25)] == ["0.0", "0.0", "0.0", "-0.1", "+1.2"]


def test_local_folders_stay_out(tmp_path: Path) -> None:
    run = Run(tmp_path / "secret" / "run")
    run.start(Settings())
    run.update_manifest(base={"id": str(tmp_path / "secret" / "t5")}, data={"path": str(tmp_path / "secret" / "talks")})
    _, metrics, _ = write(tmp_path / "out", three_systems(), run=run)
    assert metrics["run"]["base"]["id"] == "t5"
    for file in (tmp_path / "out").iterdir():
        assert "secret" not in file.read_text(encoding="utf-8")


def test_many_dialogues_are_drawn_by_length(tmp_path: Path) -> None:
    pairs = [
        Pair(str(i), Dialogue(tuple(Turn("A", "word " * (i + 1)) for _ in range(3))), (f"A says {i} words.",))
        for i in range(40)
    ]
    page, metrics, _ = write(tmp_path, made(pairs, {"adapter": ["A says words."] * 40, "base": ["A"] * 40}))
    assert "ROUGE-L by length of the dialogue" in page.text
    assert "dialogue words" in metrics["slices"]
    for part in metrics["slices"]["dialogue words"]:
        cell = part["systems"]["adapter"]["rougeL"]
        assert f"{part['bin']} {part['n']} {cell['mean']:.1f} {cell['low']:.1f} to {cell['high']:.1f}" in page.text


@pytest.mark.parametrize(("worse", "marked"), [(2, False), (9, False), (12, True)])
def test_slices_of_few_dialogues_are_not_marked_as_weak(tmp_path: Path, worse: int, marked: bool) -> None:
    pairs = [
        Pair(str(i), Dialogue(tuple(Turn(s, f"word {i}") for s in ("ABC" if i < worse else "AB"))), (f"A says {i}.",))
        for i in range(40)
    ]
    _, metrics, _ = write(
        tmp_path, made(pairs, {"adapter": ["no" if i < worse else f"A says {i}." for i in range(40)]})
    )
    assert [part["n"] for part in metrics["slices"]["speakers"]] == [40 - worse, worse]
    table = (tmp_path / "report.html").read_text().split("<caption>By speakers</caption>")[1].split("</table>")[0]
    assert ('class="weak"' in table) is marked


def test_script_json_cannot_leave_its_element() -> None:
    text = script_json([EVIL, "]]>", "<!--"])
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == [EVIL, "]]>", "<!--"]


@pytest.mark.parametrize(
    ("pairs", "systems"),
    [
        (PAIRS, {"predictions": ["", "", ""]}),
        (PAIRS, {"lead3": ["a", "b", "c"]}),
        (PAIRS[:1], {"adapter": ["Anna asks."], "base": [""], "oracle": ["x"]}),
        ([Pair("e", Dialogue(()), ("Nobody speaks.",), None)], {"model": ["Silence."]}),
    ],
    ids=["empty predictions", "one baseline", "one dialogue", "no turns"],
)
def test_small_and_odd_evaluations(tmp_path: Path, pairs: list[Pair], systems: dict[str, list[str]]) -> None:
    page, metrics, text = write(tmp_path, made(pairs, systems))
    assert len(page.examples["items"]) == metrics["n"] == len(pairs)
    assert "nan" not in page.text.lower().split()
    assert "None" not in text
    assert "Scores" in text


def test_curves_come_from_the_runs_events(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.start(Settings())
    page, metrics, _ = write(tmp_path / "a", three_systems(), run=run)
    assert "Loss during training" not in page.text
    assert metrics["run"] == {"name": "run"}
    events = [
        {"step": 10, "loss": 3.0},
        {"step": 20, "loss": 2.25},
        {"step": 20, "eval_loss": 2.5, "eval_rougeL": 20.0},
    ]
    events.append({"step": 40, "eval_loss": 2.25, "eval_rougeL": 30.0})
    run.events_file.write_text("".join(json.dumps(e) + "\n" for e in events) + '{"step": 50, "lo', encoding="utf-8")
    run.update_manifest(seed=7, timings=[{"seconds": 90.0, "evaluation_seconds": 9.0}])
    page, metrics, _ = write(tmp_path / "b", three_systems(), run=run)
    assert "Loss during training" in page.text
    assert "from 3.00 to 2.25" in page.text
    assert "ROUGE of generated summaries during training" in page.text
    assert "1 min 30 s, 10% of it evaluation" in page.text
    assert metrics["run"]["seed"] == 7


def test_a_second_evaluation_replaces_the_first(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "predictions.mine.jsonl").write_text("{}", encoding="utf-8")
    write(tmp_path, three_systems())
    write(tmp_path, made(PAIRS[:2], {"adapter": ["a", "b"], "oracle": ["c", "d"]}))
    names = {p.name for p in tmp_path.iterdir()}
    assert {"notes.txt", "predictions.mine.jsonl", "predictions.oracle.jsonl"} <= names
    assert not {"predictions.base.jsonl", "predictions.lead3.jsonl"} & names
    assert len((tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_older_metrics_cannot_name_files_outside(tmp_path: Path) -> None:
    victim = tmp_path / "predictions.x.jsonl"
    victim.write_text("", encoding="utf-8")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "metrics.json").write_text(
        json.dumps({"files": ["../predictions.x.jsonl", "report.html", 3]}), encoding="utf-8"
    )
    write(folder, three_systems())
    assert victim.exists()


def test_colours_can_be_read() -> None:
    """WCAG 2: text against its background at 4.5 to 1 or better, light and dark."""
    css = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\n\s*\}", css, flags=re.S)[:2]
    for block in (light, dark):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        texts = ["ink", "muted", "accent", *(f"p{i}" for i in range(6)), *(f"s{i}" for i in range(6))]
        pairs = [(text, ground) for text in texts for ground in ("paper", "card")]
        pairs += [(f"p{i}", "accent-soft") for i in range(6)]
        pairs += [
            ("bad", "bad-soft"),
            ("ink", "warn-soft"),
            ("ink", "accent-soft"),
            ("accent", "accent-soft"),
            ("muted", "sunk"),
        ]
        for text, ground in pairs:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)
