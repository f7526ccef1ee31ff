"""Findings on a corpus made with one of each fault, and the speed on a large one."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest

from diasum.data import Corpus, Finding, Pair, check_corpus, corpus_stats, overlap
from diasum.data.checks.duplicates import NEAR, find_duplicates
from diasum.data.pairs import Rows
from diasum.dialogue import Dialogue, Turn, parse_dialogue

VOCABULARY = [f"word{i}" for i in range(3000)]


def words(rng: random.Random, n: int) -> list[str]:
    return rng.choices(VOCABULARY, k=n)


def pair(name: str, said: list[str], summary: str = "They talk.") -> Pair:
    half = len(said) // 2
    return Pair(
        name, parse_dialogue(f"Anna: {' '.join(said[:half])}\nBen: {' '.join(said[half:])}"), (summary,), "talk"
    )


def healthy(n: int, seed: int, prefix: str = "p") -> list[Pair]:
    rng = random.Random(seed)
    return [pair(f"{prefix}{i}", words(rng, 100)) for i in range(n)]


def found(corpus: Corpus) -> dict[tuple[str, str], Finding]:
    return {(finding.kind, finding.split): finding for finding in check_corpus(corpus).findings}


def test_a_healthy_corpus_is_clean() -> None:
    check = check_corpus(Corpus("c", {"train": healthy(50, 0), "test": healthy(20, 1, "t")}))
    assert check.findings == []
    assert check.clean


def test_what_reading_noted_is_part_of_the_check() -> None:
    corpus = Corpus("c", {"train": healthy(50, 0)}, notes=["2 of 52 rows were skipped."])
    assert check_corpus(corpus).notes[:1] == corpus.notes


def test_overlap_ignores_case_punctuation_and_spaces() -> None:
    train = [Pair("a", parse_dialogue("Anna: Hello,  there!\nBen: Hi."), ("x",)), *healthy(5, 0)]
    test = [Pair("b", parse_dialogue("anna: hello there\nBEN: Hi!"), ("x",)), *healthy(5, 1)]
    assert overlap(train, test) == ["b"]
    finding = found(Corpus("c", {"train": train, "test": test}))["overlap", "train/test"]
    assert (finding.severity, finding.count, finding.ids) == ("error", 1, ("b",))
    assert "1 of 6 dialogues of `test` are also in `train`" in finding.message


@pytest.mark.parametrize(("changed", "near"), [(1, True), (3, True), (12, False), (100, False)])
def test_near_duplicates_are_those_of_jaccard_eight_tenths(changed: int, near: bool) -> None:
    rng = random.Random(7)
    said = words(rng, 102)  # 104 words with the names: each change of a word touches three of the 102 shingles
    other = list(said)
    for i in range(changed):
        other[5 + i * 8 if changed <= 12 else i] = f"new{i}"
    corpus = Corpus("c", {"train": [*healthy(30, 0), pair("x", said)], "test": [pair("y", other), *healthy(30, 1)]})
    finding = found(corpus).get(("near_duplicate", "train/test"))
    assert (finding is not None) == near
    if finding:
        assert (finding.count, finding.ids) == (1, ("x = y",))
        assert finding.message == "1 dialogue of `test` nearly repeats one of `train` (similarity of 0.8 or more)."


def test_duplicates_inside_a_split_are_told_apart() -> None:
    rng = random.Random(1)
    said = words(rng, 80)
    finding = found(Corpus("c", {"train": [pair("x", said), *healthy(5, 0), pair("y", said)]}))["duplicate", "train"]
    assert (finding.severity, finding.ids) == ("info", ("x = y",))


def test_a_crowd_of_equal_dialogues_is_found_whole() -> None:
    said = words(random.Random(1), 80)
    finding = found(Corpus("c", {"train": [pair(f"x{i}", said) for i in range(500)]}))["duplicate", "train"]
    assert finding.count == 499


def test_no_near_duplicate_is_missed() -> None:
    rng = random.Random(11)
    texts = [words(rng, rng.randint(3, 60)) for _ in range(90)]
    for text in texts[:80]:  # with one or two words changed or left out
        other = list(text)
        for _ in range(rng.randint(0, 2)):
            other[rng.randrange(len(other))] = rng.choice(VOCABULARY)
        texts.append(other[rng.randint(0, 1) :])
    sets = [{tuple(text[i : i + 3]) for i in range(max(1, len(text) - 2))} for text in texts]
    expected = {
        (i, j)
        for j in range(len(sets))
        for i in range(j)
        if texts[i] != texts[j] and len(sets[i] & sets[j]) >= NEAR * len(sets[i] | sets[j])
    }
    assert len(expected) > 5
    assert set(find_duplicates(map(" ".join, texts)).near) == expected


def test_text_read_in_the_wrong_encoding_is_found() -> None:
    pairs = [
        Pair("good", parse_dialogue("Anna: Das ist schön, “wirklich”\nBen: ja – naïve Pläne für 5 €"), ("Sie reden.",)),
        Pair("misread", parse_dialogue("Anna: Das ist schÃ¶n und fÃ¼r dich\nBen: ja"), ("Sie reden.",)),
        Pair("summary", parse_dialogue("Anna: Das ist neu\nBen: ja"), ("Sie reden â€œlangâ€\x9d.",)),
        Pair("lost", parse_dialogue("Anna: Das ist sch\ufffdn\nBen: ja"), ("Sie reden.",)),
        Pair("bell", Dialogue((Turn("Anna", "Das ist\x07 neu"), Turn("Ben", "ja"))), ("Sie reden.",)),
    ]
    findings = found(Corpus("c", {"all": pairs}))
    assert findings["damaged_misread", "all"].ids == ("misread", "summary")
    assert findings["damaged_replaced", "all"].ids == ("lost",)
    assert findings["damaged_control", "all"].ids == ("bell",)
    assert findings["damaged_misread", "all"].severity == "warning"


def test_without_the_extra_it_is_said_that_misread_text_was_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.data.checks.damage.find_spec", lambda _: None)
    check = check_corpus(Corpus("c", {"all": [Pair("a", parse_dialogue("Anna: schÃ¶n\nBen: ja"), ("x",))]}))
    assert any("diasum[check]" in note for note in check.notes)
    assert not any(finding.kind == "damaged_misread" for finding in check.findings)


def test_conversations_without_summaries_get_the_checks_that_need_none() -> None:
    pairs = [Pair(pair.id, pair.dialogue, ()) for pair in healthy(10, 0)]
    check = check_corpus(Corpus("c", {"all": pairs}))
    assert check.findings == []
    assert any("`all` has no summaries" in note for note in check.notes)


def test_all_ids_of_a_finding_are_kept_and_a_line_shows_the_first() -> None:
    pairs = [pair(f"x{i}", words(random.Random(i), 30), "") for i in range(8)]
    finding = found(Corpus("c", {"all": [*pairs, *healthy(5, 99)]}))["no_summary", "all"]
    assert len(finding.ids) == 8
    assert finding.line.endswith("(x0, x1, x2, x3, x4, ...)")


def test_a_speaker_who_says_nearly_all_is_told() -> None:
    talk = parse_dialogue("Anna: " + " ".join(words(random.Random(0), 60)) + "\nBen: yes")
    finding = found(Corpus("c", {"all": [Pair("mono", talk, ("They talk.",)), *healthy(5, 1)]}))["dominated", "all"]
    assert (finding.severity, finding.ids) == ("info", ("mono",))


def test_odd_pairs_are_found() -> None:
    rng = random.Random(3)
    pairs = [
        Pair("empty", Dialogue(()), ("x",)),
        Pair("short", parse_dialogue("Anna: yes\nBen: no"), ("They.",)),
        pair("long", words(rng, 4000)),
        pair("copy", ["we", "meet", "at", "noon", *words(rng, 40)], "We meet at noon!"),
        pair("wordy", words(rng, 20), "so " * 60),
        Pair("alone", parse_dialogue("Anna: " + " ".join(words(rng, 30))), ("x",)),
        Pair("nobody", parse_dialogue(" ".join(words(rng, 30))), ("x",)),
        pair("bare", words(rng, 30), ""),
        pair("bare", words(rng, 30)),
    ]
    findings = found(Corpus("c", {"train": pairs}))
    expected = {
        "empty_dialogue": "empty",
        "short": "short",
        "long": "long",
        "copied": "copy",
        "summary_longer": "wordy",
        "one_speaker": "alone",
        "no_summary": "bare",
        "duplicate_id": "bare",
    }
    for kind, name in expected.items():
        assert name in findings[kind, "train"].ids, kind
    assert findings["no_speakers", "train"].ids == ("empty", "nobody")
    assert findings["copied", "train"].count == 1
    assert not check_corpus(Corpus("c", {"train": pairs})).clean


def test_statistics() -> None:
    pairs = [
        Pair("a", parse_dialogue("A: one two\nB: three"), ("x y", "x y z w"), "t"),
        Pair("b", parse_dialogue("A: one\nB: two\nA: three\nC: four"), ("x",)),
    ]
    stats = corpus_stats(Corpus("c", {"train": pairs})).splits["train"]
    assert (stats.pairs, stats.references, stats.topics) == (2, 3, 1)
    assert (stats.turns_median, stats.turns_max, stats.words_max, stats.speakers_median) == (3, 4, 8, 2.5)
    assert (stats.summary_words_median, stats.summary_words_max) == (2, 4)


def test_five_thousand_dialogues_are_checked_fast() -> None:
    corpus = Corpus("c", {"train": healthy(4_000, 0), "test": healthy(1_000, 1, "t")})
    said = words(random.Random(2), 100)
    corpus.splits["train"][5], corpus.splits["test"][7] = pair("x", said), pair("y", [*said, "more"])
    began = time.process_time()
    assert ("near_duplicate", "train/test") in found(corpus)
    assert time.process_time() - began < 10  # 1.6 s on a Zen 3 core; comparing all with all takes minutes


def test_importing_the_folder_is_light() -> None:
    code = "import sys, diasum.data; print([m for m in ('torch', 'transformers', 'datasets', 'pandas', 'numpy') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    import diasum.data

    assert all(getattr(diasum.data, name) is not None for name in diasum.data.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = diasum.data.nothing


@pytest.mark.parametrize(("empty", "warned"), [(0, False), (1, False), (12, True)])
def test_many_empty_rows_are_a_complaint(empty: int, warned: bool) -> None:
    corpus = Corpus("c", {"all": healthy(24, 0)}, rows={"all": Rows(read=24 + empty, empty=empty)})
    assert (("skipped", "all") in found(corpus)) == warned
    assert check_corpus(corpus).clean != warned


def test_a_crowd_of_summaries_of_one_dialogue_is_a_complaint() -> None:
    talk = healthy(1, 0)[0]
    several = Pair("d", talk.dialogue, tuple(f"Summary {i}." for i in range(5)))
    crowd = Pair("e", talk.dialogue, tuple(f"Summary {i}." for i in range(24)))
    finding = found(Corpus("c", {"all": [several, crowd]}))["repeated_dialogue", "all"]
    assert (finding.severity, finding.ids) == ("warning", ("e",))
