"""Languages of dialogues and summaries, and claims, which are checked in English only."""

from __future__ import annotations

import pytest

from diasum.data import Corpus, Finding, Pair, check_corpus
from diasum.data.checks.findings import CorpusCheck
from diasum.data.checks.languages import UNKNOWN, language_of
from diasum.dialogue import parse_dialogue

ENGLISH = (
    "Anna: Are you coming to the lake with us on Sunday? We could take the early train and be there before noon.\n"
    "Ben: I would love to, but I have to help my sister with her move, and that will take all day.\n"
    "Anna: What a pity. Then we go another time, when you are free again."
)
GERMAN = (
    "Anna: Kommst du am Sonntag mit uns an den See? Wir könnten den frühen Zug nehmen und wären vor Mittag dort.\n"
    "Ben: Ich würde gern, aber ich muss meiner Schwester beim Umzug helfen, und das dauert den ganzen Tag.\n"
    "Anna: Wie schade. Dann fahren wir ein anderes Mal, wenn du wieder Zeit hast."
)
ITALIAN = (
    "Anna: Vieni al lago con noi domenica? Potremmo prendere il treno presto e arrivare prima di mezzogiorno.\n"
    "Ben: Mi piacerebbe molto, ma devo aiutare mia sorella con il trasloco, e ci vorrà tutto il giorno.\n"
    "Anna: Che peccato. Allora ci andiamo un'altra volta, quando sei libero."
)


def pair(name: str, text: str, summary: str) -> Pair:
    return Pair(name, parse_dialogue(text), (summary,))


def checked(*pairs: Pair) -> tuple[CorpusCheck, dict[str, Finding]]:
    check = check_corpus(Corpus("c", {"all": list(pairs)}))
    return check, {finding.kind: finding for finding in check.findings}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ENGLISH, "en"),
        (GERMAN, "de"),
        (ITALIAN, "it"),
        ("今日は天気がいいですね。散歩に行きませんか。そうですね、行きましょう。", "ja"),
        ("ok", UNKNOWN),
        ("", UNKNOWN),
        ("12 34 56 :-)", UNKNOWN),
    ],
)
def test_languages(text: str, code: str) -> None:
    assert language_of(text) == code


def test_dialogues_in_another_language_than_most_are_told_with_their_ids() -> None:
    check, findings = checked(
        pair("a", GERMAN, "Ben hilft seiner Schwester am Sonntag beim Umzug und fährt deshalb nicht mit."),
        pair("b", GERMAN + "\nBen: Gut.", "Ben hilft seiner Schwester beim Umzug und hat deshalb keine Zeit."),
        pair("c", ITALIAN, "Ben aiuta la sorella con il trasloco e quindi non va al lago con Anna."),
    )
    assert check.languages == {"all": {"de": 2, "it": 1}}
    assert findings["other_language"].ids == ("c",)
    assert "German: Italian 1" in findings["other_language"].message


def test_a_summary_in_another_language_than_its_dialogue_is_a_warning() -> None:
    _, findings = checked(
        pair(
            "a", GERMAN, "Ben has to help his sister with her move, so he does not go to the lake with Anna on Sunday."
        ),
        pair("b", GERMAN + "\nBen: Gut.", "Ben hilft seiner Schwester beim Umzug und hat deshalb keine Zeit."),
    )
    assert (findings["summary_language"].severity, findings["summary_language"].ids) == ("warning", ("a",))


def test_claims_of_english_references_are_compared_with_the_dialogue() -> None:
    check, findings = checked(
        pair("good", ENGLISH, "Ben helps his sister with her move on Sunday."),
        pair("wrong", ENGLISH + "\nBen: Yes.", "Anna goes to the lake with Marta at 9:45."),
    )
    claims = check.claims["all"]
    assert (claims.references, claims.checked, claims.unsupported, claims.not_checked) == (2, 2, 1, {})
    assert findings["unsupported_claim"].ids == ("wrong",)
    assert claims.by_kind["name"] == 1


def test_german_claims_are_not_checked_and_never_supported() -> None:
    check, findings = checked(
        pair("a", GERMAN, "Ben hilft seiner Schwester Marta um 9:45 Uhr beim Umzug nach Hamburg."),
        pair("b", GERMAN + "\nBen: Gut.", "Ben hilft seiner Schwester beim Umzug und hat deshalb keine Zeit."),
    )
    claims = check.claims["all"]
    assert (claims.checked, claims.unsupported) == (0, 0)
    assert claims.not_checked == {"in German; the rules are English": 2}
    assert "unsupported_claim" not in findings
    assert any("Claims of 2 of 2 summaries of `all` were not checked: 2 in German" in note for note in check.notes)


def test_a_text_too_short_to_tell_is_not_checked() -> None:
    check, _ = checked(pair("a", "Anna: Na?\nBen: Nö.", "Marta kommt um 9:45."))
    assert check.claims["all"].not_checked == {"language not known": 1}


def test_of_many_references_a_seeded_sample_is_checked_and_said_so() -> None:
    pairs = [pair(f"p{i}", f"{ENGLISH}\nBen: Number {i}.", "Ben helps his sister.") for i in range(20)]
    corpus = Corpus("c", {"all": pairs})
    check = check_corpus(corpus, claims=5)
    assert check.claims["all"].checked == 5
    assert check.claims["all"].not_checked == {"not in the sample": 15}
    assert any("not in the sample" in note for note in check.notes)
    assert check_corpus(corpus, claims=None).claims["all"].checked == 20


def test_without_the_extra_only_english_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.data.checks.languages.find_spec", lambda _: None)
    check, _ = checked(pair("a", ENGLISH, "Ben helps his sister."), pair("b", GERMAN, "Ben hilft seiner Schwester."))
    assert check.languages == {"all": {"en": 1, UNKNOWN: 1}}
    assert check.claims["all"].not_checked == {"language not known": 1}
    assert any("languages other than English" in note and "diasum[check]" in note for note in check.notes)
