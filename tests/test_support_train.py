"""The sentences that checks are trained on: they are what their README says, and their words are evened out."""

from __future__ import annotations

from collections import Counter

from benchmarks.support_train import HERE, KINDS, Written, evened, held_out, written


def test_they_are_what_the_readme_says() -> None:
    sentences = written()
    kinds = Counter(one.kind for of_it in sentences.values() for one in of_it)
    told = " ".join((HERE / "README.md").read_text(encoding="utf-8").split())
    right, wrong = kinds["supported"], sum(kinds[kind] for kind in KINDS)
    assert set(kinds) == {"supported", *KINDS}
    assert f"{right + wrong:,} sentences about {len(sentences):,} conversations" in told
    assert f"`yes` ({right:,} sentences" in told
    assert f"`no` ({wrong:,} that" in told
    for kind in KINDS:
        assert f"{kind} {kinds[kind]:,}" in told
    assert all(len({one.text for one in of_it}) == len(of_it) for of_it in sentences.values()), "none has both labels"
    assert all(one.text.strip() == one.text != "" for of_it in sentences.values() for one in of_it)
    held = sum(map(held_out, sentences))
    assert 0.08 < held / len(sentences) < 0.12


def test_words_that_tell_a_label_weigh_less_where_they_do() -> None:
    """`insists` is in nine wrong sentences of ten."""
    sentences = {
        f"d{i}": [
            Written(f"Ana {'insists' if i % 10 == 0 else 'agrees'} to go there with me, case {i}.", "supported"),
            Written(f"Ana {'agrees' if i % 10 == 0 else 'insists'} to go there with me, case {i}.", "negation"),
        ]
        for i in range(400)
    }
    weights = evened(sentences)
    given = [one for of_it in sentences.values() for one in of_it]
    insisting = [one for one in given if "insists" in one.text]

    def share(weight: dict[Written, float]) -> float:
        return sum(weight[one] for one in insisting if not one.supported) / sum(weight[one] for one in insisting)

    assert share(dict.fromkeys(weights, 1.0)) == 0.9
    assert 0.4 < share(weights) < 0.75
    assert all(0.3 <= one <= 3.0 for one in weights.values())
