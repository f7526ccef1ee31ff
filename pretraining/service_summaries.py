"""Short summaries of two corpora without written ones: STAR, from its wizard's acts, and Taskmaster-4's coffee orders."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from pretraining.corpora import Turn
from pretraining.speakers import Person, start_upper

# by the act that begins with the key: what the user wants
STAR_GOALS: tuple[tuple[str, str], ...] = (
    ("bank_inform_fraud", "report a fraud"), ("bank_ask_fraud", "report a fraud"), ("bank_", "check the bank balance"),
    ("doctor_inform_doctors_instructions", "know the doctor's instructions"), ("doctor_", "make an appointment with a doctor"),
    ("hotel_inform_service_request", "order room service at the hotel"), ("hotel_ask_service_request", "order a service at the hotel"),
    ("hotel_reservation", "book a hotel room"), ("hotel_", "find a hotel"),
    ("party_confirm_rsvp", "confirm an invitation to a party"), ("party_ask_arrival", "confirm an invitation to a party"),
    ("party_", "book a venue for a party"), ("plane_reservation", "book a flight"), ("plane_", "find a flight"),
    ("apartment_inform_booking", "view an apartment"), ("apartment_ask_application", "view an apartment"),
    ("apartment_", "find an apartment"), ("restaurant_inform_booking", "reserve a table at a restaurant"),
    ("restaurant_ask_size", "reserve a table at a restaurant"), ("restaurant_", "find a restaurant"),
    ("ride_inform_changes", "change a booked ride"), ("ride_ask_change", "change a booked ride"),
    ("ride_provide_driver", "know about the driver of a booked ride"), ("ride_", "book a ride"),
    ("meeting_", "schedule a meeting"), ("trip_", "know the way"), ("weather_", "know the weather"),
    ("trivia_", "play a trivia game"), ("spaceship_", "open a door of the spaceship"),
)  # fmt: skip
# acts that settle something: {s} wizard, {u} user
STAR_RESULTS: dict[str, tuple[str, ...]] = {
    "bank_inform_balance": ("{s} says the balance is {n}", "{s} tells {u} that the balance is {n}"),
    "bank_inform_cannot_authenticate": ("{s} cannot verify who {u} is", "{s} cannot identify {u} with the information given"),
    "bank_inform_fraud_report_submitted": ("{s} submits the report", "the report is submitted, and the bank will look into it"),
    "apartment_inform_booking_successful": ("{s} schedules the viewing", "the viewing is booked"),
    "apartment_inform_viewing_unavailable": ("no viewing is available at the time {u} prefers",),
    "apartment_inform_nothing_found": ("{s} finds no apartment that matches",),
    "doctor_inform_booking_successful": ("{s} books the appointment",),
    "doctor_inform_booking_unavailable": ("the doctor has no appointment at the time asked for",),
    "doctor_inform_doctors_instructions": ("{s} reads the instructions to {u}", "{s} tells {u} how to take the medicine"),
    "hotel_reservation_succeeded": ("{s} books the room", "the booking succeeds"),
    "hotel_reservation_failed": ("the booking fails", "{s} says the booking failed"),
    "hotel_unavailable": ("there is no room on the dates asked for",),
    "hotel_inform_service_request_successful": ("the request is submitted", "{s} submits the request"),
    "hotel_inform_service_request_failed": ("the request cannot be processed",),
    "meeting_inform_confirmed": ("{s} schedules the meeting",),
    "meeting_inform_unavailable_ask_different_time": ("the guest cannot make it at the first time",),
    "party_booking_successful": ("{s} books the venue",),
    "party_booking_failed": ("the booking fails",),
    "party_venue_not_available": ("the venue is not available",),
    "party_no_venue_available": ("all venues are booked out",),
    "party_confirm_rsvp": ("{s} confirms it", "the reply is confirmed"),
    "plane_reservation_succeeded": ("{s} reserves the flight",),
    "plane_reservation_failed": ("the reservation fails", "{s} says the reservation was unsuccessful"),
    "plane_flight_unavailable": ("the flight is not available any more",),
    "plane_inform_nothing_found": ("{s} finds no flight that matches",),
    "restaurant_inform_booking_successful": ("{s} confirms the reservation",),
    "restaurant_inform_booking_failed": ("the reservation fails",),
    "restaurant_inform_unavailable": ("the restaurant has no free table",),
    "ride_confirm_booking": ("{s} books the ride",),
    "ride_inform_changes_successful": ("{s} makes the changes",),
    "ride_inform_changes_failed": ("{s} cannot change the booking",),
    "spaceship_inform_outcome": ("{s} says what happens to the door",),
    "trip_instructions_done": ("{s} gives directions until {u} is there",),
    "trip_inform_last_step_and_done": ("{s} explains the way",),
    "weather_inform_forecast": ("{s} gives the forecast",),
}  # fmt: skip
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def star(rng: random.Random, turns: Sequence[Turn], user: Person, system: Person) -> str | None:
    """One to four sentences: what the user wants, and what comes of it."""
    acts = [(t.acts[0].act, t.text) for t in turns if t.acts]
    parts: list[str] = []
    mentioned: set[str] = set()
    for act, text in acts:
        goal = next((g for prefix, g in STAR_GOALS if act.startswith(prefix)), "")
        domain = act.split("_")[0]
        if goal and domain not in mentioned:
            mentioned.add(domain)
            best = next(
                (g for prefix, g in STAR_GOALS if any(a.startswith(prefix) and a.startswith(domain) for a, _ in acts)),
                goal,
            )
            parts.append(
                f"{user} {'also ' if parts else ''}{rng.choice(('wants to', 'would like to', 'wants to'))} {best}"
            )
        results = STAR_RESULTS.get(act)
        if results and act not in mentioned:
            mentioned.add(act)
            number = _NUMBER.search(text)
            result = rng.choice(results).format(u=user, s=system, n=number[0] if number else "")
            if "is {n}" not in result and not result.endswith(" is "):
                parts.append(result)
    if not parts:
        return None
    return " ".join(start_upper(p) + "." for p in parts[:6])


_ORDER = re.compile(
    r"(?:I'd like|I would like|can I get|could I get|can I have|could I have|may I have|can you get me|can you grab me|I'll take|"
    r"I will take|I'll have|I'll get|I want|I need|give me|let me get|let me have|get me)(?: to (?:order|get|have|buy))?"
    r" ((?:an?|two|three|some|one|the)\b[^.?!]{3,80}?)(?:,? (?:please|to go|today|thanks|thank you)\b|[.?!]|$)",
    re.I,
)


def coffee(rng: random.Random, turns: Sequence[Turn], user: Person, system: Person) -> str | None:
    """Who orders what, and whether it is confirmed or corrected."""
    order = _ORDER.search(turns[0].text)
    if not order or turns[0].speaker != "user":
        return None
    parts = [f"{user} {rng.choice(('orders', 'wants', 'would like', 'asks for'))} {order[1].strip()}"]
    for turn in turns[1:]:
        low = turn.text.lower()
        if turn.speaker == "user" and ("instead" in low or low.startswith("no")):
            parts.append(rng.choice((f"{user} corrects the order", f"{user} changes the order")))
        elif turn.speaker != "user" and "ready" in low and len(parts) < 4:
            parts.append(rng.choice((f"{system} says it will be ready soon", f"{system} places the order")))
        elif (
            turn.speaker != "user"
            and ("can't help" in low or "don't have" in low or "sorry" in low)
            and "error" not in low
        ):
            parts.append(f"{system} says that is not possible")
    parts = list(dict.fromkeys(parts))
    return " ".join(start_upper(p) + "." for p in parts)
