"""The page about a check of data: whole, alone, and with nothing of the data as markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from diasum.config import PromptSettings
from diasum.data import Corpus, Pair, PairEncoder, check_corpus
from diasum.data.checks.findings import Spread
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from diasum.reports.data_check import _histogram, check_page_text, write_check
from diasum.reports.rendering import code
from tests.data.test_checks import healthy
from tests.tokenizers import tiny_t5_tokenizer

EVIL = '<script>alert("x")</script>&$_'


def page() -> str:
    pairs = [Pair(f"{EVIL}{i}", pair.dialogue, ("",)) for i, pair in enumerate(healthy(250, 0))]
    talk = Pair("good", parse_dialogue("Anna: Lunch with us at nine, then?\nBen: Not today, I fear."), ("They talk.",))
    corpus = Corpus(EVIL, {EVIL: [*pairs, talk], "_other": healthy(5, 1)}, notes=[EVIL])
    encoder = PairEncoder(tiny_t5_tokenizer(), PromptSettings(max_source_tokens=64))
    return check_page_text(check_corpus(corpus, encoder, EVIL))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("meta", "br", "use", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("use", "path"):
            assert self.open.pop() == tag


def test_the_page_is_whole_alone_and_escapes_everything() -> None:
    text = page()
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "&lt;script&gt;" in text
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"|url\((?!#)', text)
    assert text.count('<svg class="plot"') == 4
    for part in ("Lengths of dialogues", "Lengths of summaries", "Languages", "most talkative", "Claims", "_other"):
        assert part in text


def test_ids_are_listed_up_to_a_number_that_is_told() -> None:
    assert "and 50 more (all in <code>--json</code>)" in page()


def test_names_between_backticks_are_code_and_nothing_else_is_markup() -> None:
    assert "<code>_other</code>" in page()
    assert code("`<b>` and `a") == "<code>&lt;b&gt;</code> and `a"


def test_shares_are_percentages_and_medians_have_no_empty_decimals() -> None:
    assert re.search(r"_other \d+%\.", page())
    assert "<td>2</td></tr>" in page(), "two speakers, not 2.0"


def test_only_a_page_is_written_as_one(tmp_path: Path) -> None:
    check = check_corpus(Corpus("c", {"all": healthy(3, 0)}))
    assert "report written to" in write_check(check, tmp_path / "check.html")
    assert (tmp_path / "check.html").read_text().startswith("<!doctype html>")
    with pytest.raises(DiasumError, match=r"ends in \.html"):
        write_check(check, tmp_path / "talks.jsonl")
    assert not (tmp_path / "talks.jsonl").exists()


def test_each_split_has_a_histogram_of_its_own_with_bins_for_its_size() -> None:
    few, many = Spread.of([float(i) for i in range(40)]), Spread.of([float(i) for i in range(4000)])
    assert (len(few.counts), len(many.counts)) == (8, 30)
    assert sum(few.counts) == 40
    (plot,) = _histogram("talk", "Talk", "share", {"train": many, "test": few, "none": Spread.of([])}, None)
    assert [name in plot.svg for name in (">train<", ">test<", ">none<")] == [True, True, False]
    assert plot.caption.startswith("Medians (lines): train ")
