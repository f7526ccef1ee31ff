"""Protocols give the figures of the packages whose names they carry, and join references as they say."""

from __future__ import annotations

import json
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from diasum.claims.sentences import sentence_spans, split_sentences
from diasum.data.letters import ANY_SCRIPT
from diasum.errors import DiasumError
from diasum.evaluation.rouge.lcs import Indexed, lcs_length, lcs_positions
from diasum.evaluation.rouge.protocols import PROTOCOLS, choose_protocol, get_protocol
from diasum.evaluation.rouge.py_rouge import cut_words, tokenize
from diasum.evaluation.rouge.unicode_words import unicode_words
from tests.evaluation.examples import WORDS, random_text

FIXTURES = json.loads((Path(__file__).parent / "py_rouge_scores.json").read_text(encoding="utf-8"))["rows"]


@pytest.mark.parametrize(("name", "stem"), [("rouge-score", True), ("rouge-score-unstemmed", False)])
def test_fast_scorer_equals_rouge_score(name: str, stem: bool) -> None:
    rng = random.Random(1)
    predictions = [random_text(rng) for _ in range(1000)] + ["", "", "a"]
    references = [random_text(rng) for _ in range(1000)] + ["", "a", ""]
    ours = PROTOCOLS[name].score(predictions, [[text] for text in references])
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=stem)
    for i, (prediction, reference) in enumerate(zip(predictions, references, strict=True)):
        theirs = scorer.score("\n".join(split_sentences(reference)), "\n".join(split_sentences(prediction)))
        for metric, values in ours.items():
            assert values[i] == pytest.approx(100 * theirs[metric].fmeasure, abs=1e-9), (metric, prediction, reference)
    assert ours["rougeLsum"].mean() > ours["rougeL"].mean() > ours["rouge2"].mean() > 0  # the texts do overlap


@pytest.mark.parametrize(
    ("name", "key", "join"),
    [
        ("py-rouge", "py-rouge", np.mean),
        ("dialogsum-paper", "paper", np.mean),
        ("dialogsum-paper-best", "paper", np.max),
        ("dialogsum-paper-pooled", "pooled", None),
    ],
)
def test_equals_py_rouge(name: str, key: str, join: object) -> None:
    """The stored figures were computed by the package itself on texts written for this."""
    scores = PROTOCOLS[name].score([r["prediction"] for r in FIXTURES], [r["references"] for r in FIXTURES])
    for i, row in enumerate(FIXTURES):
        wanted = row[key] if join is None else join(row[key], axis=1)  # type: ignore[operator]
        found = [scores[metric][i] / 100 for metric in ("rouge1", "rouge2", "rougeL")]
        assert found == pytest.approx(list(wanted), abs=1e-9), row["prediction"]


def test_py_rouge_words() -> None:
    assert tokenize("They went; she CANNOT, can not -- gonna") == [
        "thei",
        "go",
        "she",
        "cannot",
        "can",
        "not",
        "gon",
        "na",
    ]
    assert tokenize("agreements children's") == ["agreem", "child", "s"]
    assert tokenize("professional accidentally technology possibly") == ["profess", "accid", "technolog", "possibl"]
    assert tokenize("nation national vacation accidental") == ["nation", "nation", "vacat", "accident"]
    # A base form is not stemmed, so that these are four words.
    assert tokenize("carry carried happy happier") == ["carri", "carry", "happi", "happy"]
    assert tokenize("barrier priest untied soldier") == ["barrier", "priest", "unti", "soldier"]
    assert tokenize("overheard foresaw bigger panicking customer customers") == [
        "overhear",
        "foresee",
        "big",
        "panic",
        "customer",
        "custom",
    ]


def test_cut_words_keeps_lines() -> None:
    assert cut_words("a b\nc d e\nf", 4) == "a b\nc d"
    assert cut_words("a  b\nc", 3) == "a  b\nc"


def test_references_are_joined_as_named() -> None:
    prediction, references = "the cat sat", ["the cat sat", "a dog ran away", "the cat"]
    scores = {name: PROTOCOLS[name].score([prediction], [references])["rouge1"][0] for name in PROTOCOLS}
    assert scores["rouge-score"] == scores["rouge-score-mean"] == pytest.approx((100 + 0 + 80) / 3)
    assert scores["rouge-score-best"] == 100
    assert scores["rouge-score-first"] == 100
    assert PROTOCOLS["rouge-score-first"].score([prediction], [references[1:]])["rouge1"][0] == 0
    assert scores["dialogsum-paper-pooled"] == pytest.approx(100 * 2 * 5 / (9 + 9))


def test_best_is_taken_by_metric() -> None:
    # The first reference has more of the words, the second more of them in order.
    scores = PROTOCOLS["rouge-score-best"].score(["a b c d"], [["d c b a", "a b x y"]])
    assert scores["rouge1"][0] == 100
    assert scores["rouge2"][0] == pytest.approx(100 / 3)
    assert scores["rougeL"][0] == 50


def test_stemming_matters() -> None:
    stemmed = PROTOCOLS["rouge-score"].score(["meetings"], [["meeting"]])["rouge1"][0]
    assert (stemmed, PROTOCOLS["rouge-score-unstemmed"].score(["meetings"], [["meeting"]])["rouge1"][0]) == (100, 0)


def test_lcs_against_the_plain_table() -> None:
    rng = random.Random(2)
    for _ in range(500):
        a, b = (rng.choices("abcd", k=rng.randint(0, 12)) for _ in range(2))
        table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
        positions = lcs_positions(Indexed(a), Indexed(b))
        assert lcs_length(Indexed(a), Indexed(b)) == table[-1][-1] == positions.bit_count()
        rest = iter(b)
        assert all(a[i] in rest for i in range(len(a)) if positions >> i & 1)  # it is a common subsequence


SAME_TEXT = {
    "Thai": "หมอถามว่าปวดหัวมานานเท่าไรแล้ว",
    "Chinese": "医生问病人头痛多久了。",
    "Arabic": "يسأل الطبيب المريض منذ متى يعاني من الصداع.",
    "Hindi": "डॉक्टर ने मरीज़ से पूछा कि सिरदर्द कब से है।",
    "Japanese": "医者は頭痛がいつからか尋ねました。",
    "Korean": "의사가 환자에게 두통이 언제부터인지 물었다.",
    "Russian": "Врач спрашивает, давно ли болит голова.",
    "Greek": "Ο γιατρός ρωτάει από πότε πονάει το κεφάλι.",
    "Hebrew": "הרופא שואל ממתי כואב הראש.",
    "Tamil": "தலைவலி எப்போதிலிருந்து என்று மருத்துவர் கேட்கிறார்.",
    "Amharic": "ሐኪሙ ራስ ምታቱ ከመቼ ጀምሮ እንደሆነ ጠየቀ።",
    "Khmer": "គ្រូពេទ្យសួរថាឈឺក្បាលតាំងពីពេលណា។",
    "Vietnamese": "Bác sĩ hỏi bị đau đầu từ khi nào.",
}


@pytest.mark.parametrize("language", SAME_TEXT)
def test_identical_text_of_any_language_scores_full_under_unicode(language: str) -> None:
    text = SAME_TEXT[language]
    other = SAME_TEXT["Greek" if language != "Greek" else "Thai"]
    scores = PROTOCOLS["unicode"].score([text, other, text[: len(text) // 2]], [[text]] * 3)
    assert [scores[metric][0] for metric in scores] == [100] * 4
    assert [scores[metric][1] for metric in scores] == [0] * 4
    assert all(0 < scores[metric][2] < 100 for metric in scores), "part of a text is part of a score"
    assert PROTOCOLS["unicode"].score([text], [[unicodedata.normalize("NFD", text)]])["rouge1"][0] == 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't GO: #Person1#, 9:30!", ["don", "t", "go", "person1", "9", "30"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs and virama belong to the word
        ("كِتَاب", ["كِتَاب"]),
        ("น้ำ ๒๕", ["น้ํ", "า", "๒๕"]),  # a tone mark belongs to its letter; a number is one word
        ("東京タワー３階", ["東", "京", "タ", "ワ", "ー", "3", "階"]),
        ("ﾃﾞｰﾀ", ["デ", "ー", "タ"]),
        ("GPT模型", ["gpt", "模", "型"]),
        ("می‌خواهم", ["میخواهم"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("́ _ 👍", []),
    ],
)
def test_unicode_words(text: str, words: list[str]) -> None:
    assert unicode_words(text) == words


def test_unicode_is_unstemmed_rouge_score_on_plain_english() -> None:
    rng = random.Random(3)
    words = [word for word in WORDS if word.isascii() and "_" not in word]
    texts = [" ".join(rng.choices(words, k=rng.randint(0, 30))) for _ in range(200)]
    ours, theirs = (
        PROTOCOLS[n].score(texts[:100], [[t] for t in texts[100:]]) for n in ("unicode", "rouge-score-unstemmed")
    )
    assert all(np.array_equal(ours[metric], theirs[metric]) for metric in theirs)


def test_a_protocol_is_chosen_by_script() -> None:
    for text, name in (("Tom calls Ann.", "rouge-score"), ("", "rouge-score"), (SAME_TEXT["Korean"], "unicode")):
        assert choose_protocol("auto", [[text]]).protocol.name == name
    assert (
        choose_protocol("rouge-score", [[SAME_TEXT["Korean"]]]).protocol.name == "rouge-score"
    )  # the user's word holds
    assert {name for name, protocol in PROTOCOLS.items() if protocol.any_script} | {"auto"} == ANY_SCRIPT
    with pytest.raises(DiasumError, match="no protocol `autoo`") as error:
        choose_protocol("autoo", [])
    assert "Did you mean `auto`?" in str(error.value)


def test_bad_input() -> None:
    with pytest.raises(DiasumError, match="no protocol `rouge-scor`") as error:
        get_protocol("rouge-scor")
    assert "Did you mean `rouge-score`?" in str(error.value)
    with pytest.raises(DiasumError, match="2 predictions cannot be scored against 1"):
        PROTOCOLS["rouge-score"].score(["a", "b"], [["a"]])
    with pytest.raises(DiasumError, match="1 of 2 examples have no reference"):
        PROTOCOLS["rouge-score"].score(["a", "b"], [["a"], []])
    assert all(len(values) == 0 for values in PROTOCOLS["dialogsum-paper"].score([], []).values())


def test_progress_ends_at_the_total() -> None:
    seen: list[tuple[int, int]] = []
    PROTOCOLS["rouge-score"].score(
        ["a"] * 1200, [["a"]] * 1200, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(500, 1200), (1000, 1200), (1200, 1200)]


def test_descriptions_tell_the_protocols_apart() -> None:
    assert len({protocol.description for protocol in PROTOCOLS.values()}) == len(PROTOCOLS)
    assert "mean of the F1" in PROTOCOLS["rouge-score"].to_json()["description"]
    assert not PROTOCOLS["rouge-score-unstemmed"].stemmed
    assert PROTOCOLS["dialogsum-paper"].stemmed


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Smith left. He was late!", ["Mr. Smith left.", "He was late!"]),
        ("J. Smith paid 3.50 dollars. #Person1# laughs.", ["J. Smith paid 3.50 dollars.", "#Person1# laughs."]),
        ('"Go!" he said. "No."', ['"Go!" he said.', '"No."']),
        (
            "He said no. She left at 5 p.m. Then it rained...",
            ["He said no.", "She left at 5 p.m.", "Then it rained..."],
        ),
        ("one\n\n two", ["one", "two"]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("नमस्ते। कैसे हो? ठीक।", ["नमस्ते।", "कैसे हो? ठीक।"]),
        ("هل أنت بخير؟ نعم.", ["هل أنت بخير؟", "نعم."]),
        (" ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences
    padded = f" \r\n\t{text}\u2028 "
    assert [padded[start:end] for start, end in sentence_spans(padded)] == sentences
