"""Talk for the tests: a booking written by hand, and where the public corpora are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pretraining.corpora import FILES, Act, Turn, make_turn

DATA = Path(os.environ.get("DIASUM_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(
    not (DATA / FILES["sgd"]).is_file(), reason=f"needs the corpora at {DATA} (set DIASUM_DATA)"
)


def act(kind: str, slot: str = "", *values: str, service: str = "Restaurants_1") -> Act:
    return Act(service, kind, slot, values)


def booking(result: str = "NOTIFY_SUCCESS") -> list[Turn]:
    confirm = (
        act("CONFIRM", "restaurant_name", "Bird Dog"),
        act("CONFIRM", "time", "7 pm"),
        act("CONFIRM", "party_size", "2"),
    )
    return [
        make_turn(
            "USER",
            "Find me a place to eat in Palo Alto.",
            (act("INFORM", "city", "Palo Alto"), act("INFORM_INTENT", "intent", "FindRestaurants")),
        ),
        make_turn("SYSTEM", "There is Bazille.", (act("OFFER", "restaurant_name", "Bazille"),)),
        make_turn("USER", "Anything else?", (act("REQUEST_ALTS"),)),
        make_turn("SYSTEM", "How about Bird Dog?", (act("OFFER", "restaurant_name", "Bird Dog"),)),
        make_turn("USER", "Book it.", (act("SELECT"), act("INFORM_INTENT", "intent", "ReserveRestaurant"))),
        make_turn("SYSTEM", "A table for 2 at Bird Dog at 7 pm?", confirm),
        make_turn("USER", "Yes.", (act("AFFIRM"),)),
        make_turn("SYSTEM", "Here you go.", (act(result),)),
        make_turn("USER", "Thank you.", (act("THANK_YOU"),)),
    ]
