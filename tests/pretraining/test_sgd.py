"""Summaries composed from the acts of service talk: what was booked, refused and left open, and words for every slot."""

from __future__ import annotations

import random
import re

import pytest

from pretraining.closing import WORDS
from pretraining.corpora import FILES, read_sgd
from pretraining.sgd_domains import DOMAINS, SERVICES, SLOTS
from pretraining.sgd_facts import FACTS, NOUNS
from pretraining.sgd_goals import read_goals
from pretraining.sgd_phrases import bare_time, fill, inflect, on_date
from pretraining.sgd_summaries import compose
from pretraining.speakers import named, person_n, role
from tests.pretraining.talks import DATA, booking, needs_data


def test_goals_tell_offers_refused_and_chosen_and_the_outcome() -> None:
    find, reserve = read_goals(booking())
    assert [(o.values["name"], o.outcome) for o in find.offers] == [("Bazille", "refused"), ("Bird Dog", "chosen")]
    assert reserve.outcome == "done"
    assert reserve.confirm == {"name": "Bird Dog", "time": "7 pm", "count": "2"}


def test_compose_names_what_is_booked_and_never_the_refused_place_as_booked() -> None:
    rng = random.Random(0)
    summaries = [compose(rng, booking(), person_n(1), person_n(2)) or "" for _ in range(200)]
    assert all("Bird Dog" in s for s in summaries)
    assert not any(
        re.search(r"(books?|reserves?|picks?|chooses?|accepts?) [^.]*Bazille", s.split(", but")[0]) for s in summaries
    )
    assert len(set(summaries)) > 100, "phrasings vary"
    assert all(s.endswith(".") and ".." not in s and "{" not in s and "<" not in s and "~" not in s for s in summaries)


def test_compose_reports_a_failure_and_what_is_open() -> None:
    rng = random.Random(1)
    for _ in range(60):
        summary = compose(rng, booking("NOTIFY_FAILURE"), named(rng), role("Agent"), house_style=1.0) or ""
        assert re.search(r"cannot|could not", summary)
        assert re.search(rf"\. (?:{'|'.join(WORDS)}): the reservation\.$", summary)


def test_compose_uses_only_what_is_in_the_window() -> None:
    summary = compose(random.Random(0), booking()[:2], person_n(1), person_n(2)) or ""
    assert "Bird Dog" not in summary


def test_brief_summaries_do_not_say_what_is_open() -> None:
    rng = random.Random(3)
    assert not any(
        any(f"{words}:" in (compose(rng, booking(), person_n(1), person_n(2), brief=True) or "") for words in WORDS)
        for _ in range(50)
    )


def test_templates_leave_out_unknown_slots_and_fall_back() -> None:
    assert fill("a table[ {party}][ at {name_}]", {"name_": "Bird Dog"}, lambda: True) == "a table at Bird Dog"
    assert fill("[{tickets}|the tickets][ {date}]", {}, lambda: True) == "the tickets"
    assert fill("see {name_}", {}, lambda: True) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [("March 5th", "on March 5th"), ("next Monday", "next Monday"), ("5th of March", "on the 5th of March"),
     ("day after tomorrow", "the day after tomorrow"), ("today", "today")],
)  # fmt: skip
def test_dates_get_their_preposition(value: str, said: str) -> None:
    assert on_date(value) == said


def test_times_and_articles() -> None:
    assert bare_time("evening 6") == "6 in the evening"
    assert (
        inflect("<wants> a~ Italian place or a~ one-way ticket", past=True)
        == "wanted an Italian place or a one-way ticket"
    )


def test_every_intent_fact_and_noun_has_words() -> None:
    rng = random.Random(0)
    base = {"his": "their", "u": "X", "s": "Y"}
    for name, domain in DOMAINS.items():
        for intent, templates in domain.goals.items():
            assert any(fill(t, base, lambda: True) for t in templates), f"{name}/{intent} needs a phrase without slots"
    used = {slot for slots in SLOTS.values() for slot in slots.values()}
    assert len(used - set(FACTS) - set(NOUNS)) < 20
    assert all(domain in DOMAINS for domain in SERVICES.values())
    assert rng


@needs_data
def test_every_service_intent_and_slot_of_sgd_is_covered() -> None:
    for talk in read_sgd(DATA / FILES["sgd"]):
        for a in (a for t in talk.turns for a in t.acts if a.service):
            assert SERVICES[a.service]
            if a.act == "INFORM_INTENT":
                assert a.values[0] in DOMAINS[SERVICES[a.service]].goals
            elif a.act == "INFORM" and a.slot and talk.id.endswith("7"):
                slot = SLOTS[a.service].get(a.slot, a.slot)
                assert (
                    slot in FACTS
                    or slot in NOUNS
                    or slot in ("found", "start", "end", "count", "recipient", "place", "days", "rooms")
                )
