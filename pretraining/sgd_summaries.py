"""Compose summaries of SGD dialogues from their dialogue acts (first, plain version)."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pretraining.corpora import Turn
from pretraining.speakers import Person, start_upper

GOALS = {
    "CheckBalance": "check a bank balance", "TransferMoney": "transfer money", "FindBus": "find a bus",
    "BuyBusTicket": "buy a bus ticket", "GetEvents": "check the calendar", "GetAvailableTime": "know when there is free time",
    "AddEvent": "add an event to the calendar", "FindEvents": "find an event", "BuyEventTickets": "buy event tickets",
    "GetEventDates": "find an event", "SearchOnewayFlight": "find a one-way flight", "ReserveOnewayFlight": "book a one-way flight",
    "SearchRoundtripFlights": "find a round-trip flight", "ReserveRoundtripFlights": "book a round-trip flight",
    "FindApartment": "find an apartment", "ScheduleVisit": "visit an apartment", "ReserveHotel": "book a hotel",
    "SearchHotel": "find a hotel", "BookHouse": "book a house", "SearchHouse": "find a house to stay in",
    "PlayMovie": "watch a movie", "FindMovies": "find a movie", "GetTimesForMovie": "know the show times",
    "BuyMovieTickets": "buy movie tickets", "LookupSong": "find a song", "PlaySong": "play a song", "LookupMusic": "find some music",
    "PlayMedia": "play a song", "GetCarsAvailable": "find a rental car", "ReserveCar": "rent a car",
    "FindRestaurants": "find a restaurant", "ReserveRestaurant": "reserve a table", "GetRide": "get a ride",
    "FindProvider": "find a suitable provider", "BookAppointment": "make an appointment",
    "FindAttractions": "find places to visit", "GetWeather": "know the weather",
}  # fmt: skip


def compose(rng: random.Random, turns: Sequence[Turn], user: Person, system: Person) -> str | None:
    """A summary of the turns, true to their acts; None where the acts give none."""
    text = " ".join(t.text for t in turns)
    parts: list[str] = []
    for turn in turns:
        for act in turn.acts:
            if act.act == "INFORM_INTENT" and act.values:
                goal = GOALS.get(act.values[0])
                if goal:
                    parts.append(f"{user} {rng.choice(('wants to', 'would like to', 'asks to'))} {goal}.")
            elif act.act == "NOTIFY_SUCCESS" and not act.slot:
                parts.append(f"{system} {rng.choice(('arranges it', 'does so', 'confirms that it is done'))}.")
            elif act.act == "OFFER" and act.slot.endswith("name") and act.values[0] in text:
                parts.append(f"{system} {rng.choice(('suggests', 'offers', 'recommends'))} {act.values[0]}.")
    parts = [p for k, p in enumerate(parts) if p not in parts[:k]]
    return " ".join(start_upper(p) for p in parts) or None
