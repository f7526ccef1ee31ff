"""Read SGD's dialogue acts as goals: what the user wished, was offered, asked, was told, confirmed, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pretraining.corpora import Turn
from pretraining.sgd_domains import SERVICES, SLOTS
from pretraining.sgd_phrases import Values


@dataclass
class Offer:
    """Something the system suggests; `outcome` is chosen, refused or nothing yet."""

    values: Values
    outcome: str = ""
    instead: bool = False  # suggested after what was wanted proved impossible


@dataclass
class Goal:
    """One thing the user wants, and what became of it."""

    domain: str
    intent: str = ""
    proposed: bool = False  # by the system, not by the user
    wants: Values = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    more: Values = field(default_factory=dict)  # wishes added after an offer was refused
    asked: list[str] = field(default_factory=list)
    told: Values = field(default_factory=dict)
    prompted: list[str] = field(default_factory=list)  # what the system asked for
    replied: Values = field(default_factory=dict)  # what the user gave when asked
    confirm: Values = field(default_factory=dict)
    corrected: Values = field(default_factory=dict)
    failed: Values | None = None  # what was tried in vain
    outcome: str = ""  # done, failed
    declined: str = ""  # an intent that the user did not want


def read_goals(turns: Sequence[Turn]) -> list[Goal]:
    """The goals of the user, in order, from the acts of the turns."""
    goals: list[Goal] = []
    goal: Goal | None = None
    offered_intent = ("", "")
    for turn in turns:
        user = turn.speaker == "USER"
        kinds = {a.act for a in turn.acts}
        news: Values = {}
        offer: Values = {}
        service = next((a.service for a in turn.acts if a.service), "")
        domain = SERVICES.get(service, "")
        intent = next((a.values[0] for a in turn.acts if a.act == "INFORM_INTENT" and a.values), "")
        if user and goal and goal.offers:
            last = goal.offers[-1]
            if "REQUEST_ALTS" in kinds:
                last.outcome = "refused"
            elif not last.outcome and kinds & {"SELECT", "AFFIRM"}:
                last.outcome = "chosen"
                narrow(last, next((a.values for a in turn.acts if a.act == "SELECT" and a.values), ()))
        if user and "NEGATE_INTENT" in kinds and goal and offered_intent[0] == goal.domain:
            goal.declined = offered_intent[1]
        if user and "AFFIRM_INTENT" in kinds and offered_intent[1] and not intent:
            goal = Goal(offered_intent[0], offered_intent[1], proposed=True)
            goals.append(goal)
        elif intent and domain:
            again = goal and goal.domain == domain and goal.intent == intent and goal.outcome == "failed"
            if not again:
                goal = Goal(domain, intent)
                goals.append(goal)
        elif domain and (goal is None or (goal.domain != domain and not user)):
            goal = Goal(domain)
            goals.append(goal)
        if goal is None:
            continue
        names = SLOTS.get(service, {})
        for act in turn.acts:
            if not act.slot or act.slot == "intent" or SERVICES.get(act.service) != goal.domain:
                continue
            slot = names.get(act.slot, act.slot)
            value = spoken_list(act.values, turn.text)
            if act.act == "REQUEST":
                (goal.asked if user else goal.prompted).append(slot)
            elif not value or value == "dontcare":
                continue
            elif act.act == "INFORM" and user:
                news[slot] = value
            elif act.act == "INFORM":
                goal.told[slot] = value
            elif act.act == "OFFER":
                offer[slot] = value
            elif act.act == "CONFIRM":
                goal.confirm[slot] = value
        if user:
            if "REQUEST_ALTS" in kinds:
                goal.more = news
            if "NEGATE" in kinds and news and goal.confirm:
                goal.corrected.update(news)
            if goal.outcome == "failed" and news:
                goal.corrected = dict(news)
            for slot, value in news.items():
                if slot in goal.prompted:
                    goal.replied[slot] = value
            goal.wants.update(news)
        else:
            if offer:
                goal.offers.append(Offer(offer, instead="NOTIFY_FAILURE" in kinds))
            if "NOTIFY_SUCCESS" in kinds:
                goal.outcome = "done"
            elif "NOTIFY_FAILURE" in kinds:
                goal.outcome = "failed"
                goal.failed = dict(goal.confirm)
        offered_intent = next(((domain, a.values[0]) for a in turn.acts if a.act == "OFFER_INTENT"), ("", ""))
    return goals


def narrow(offer: Offer, selected: Sequence[str]) -> None:
    """Of an offer `A, B or C`, keep the one that was selected by name."""
    names = offer.values.get("name", "")
    if " or " not in names:
        return
    match = next(
        (n for n in names.replace(" or ", ", ").split(", ") if selected and n.lower() == selected[0].lower()), ""
    )
    if match:
        offer.values["name"] = match
    else:
        offer.outcome = ""


def spoken_list(values: Sequence[str], text: str) -> str:
    """Values joined as in `A, B or C`, in the order of the text."""
    if len(values) < 2:
        return values[0] if values else ""
    ordered = sorted(values, key=text.find)
    return f"{', '.join(ordered[:-1])} or {ordered[-1]}"  # `narrow` reads this form
