"""Compose summaries of SGD dialogues from their dialogue acts, true to what is said in the turns given.

`read_goals` walks through the acts and gathers, for each thing the user wants, what was wished, offered, asked, told,
confirmed, and how it ended. `compose` says that in words: many phrasings, one to six sentences. Only values that stand
in the turns' text are used (see `corpora.read_sgd`), so a window of a dialogue gets a summary of that window.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from pretraining.closing import left_open
from pretraining.corpora import Turn
from pretraining.sgd_goals import read_goals
from pretraining.sgd_phrases import inflect
from pretraining.sgd_teller import Teller
from pretraining.speakers import Person, start_upper


def compose(
    rng: random.Random,
    turns: Sequence[Turn],
    user: Person,
    system: Person,
    *,
    house_style: float = 0.45,
    brief: bool = False,
) -> str | None:
    """A summary of the turns.

    Args:
        rng: decides phrasing, detail and tense.
        turns: consecutive turns of an SGD dialogue.
        user: who the user is in the summary; `system` likewise.
        house_style: how often a summary ends with what is still open.
        brief: one or two sentences, as in DialogSum; else up to six.

    Returns:
        The summary; None where the acts give nothing worth saying.
    """
    goals = read_goals(turns)
    goals = [g for g in goals if g.domain]
    if not goals:
        return None
    detail = rng.uniform(0.0, 0.75) if brief else rng.uniform(0.2, 1.0)
    if len(turns) <= 8:
        detail = max(detail, rng.uniform(0.5, 1.0))  # a short dialogue's summary can say all of it
    teller = Teller(rng, user, system, past=not brief and rng.random() < 0.06, detail=detail)
    sentences: list[str] = []
    for k, goal in enumerate(goals):
        follows = k > 0 and goals[k - 1].domain == goal.domain
        nxt = goals[k + 1] if k + 1 < len(goals) else None
        merged = nxt is not None and nxt.domain == goal.domain and nxt.outcome == "done" and detail < 0.3
        part: list[str] = []
        wish: str | None = None
        done = goal.outcome == "done"
        wished = not (follows and done) if not goal.proposed else not goal.outcome and not goal.confirm
        if goal.intent and wished:
            wish = teller.wish(goal, first=not sentences)
            if wish:
                part.append(wish)
        offers = teller.answers(goal) or teller.offered(goal)
        if offers and not merged and (detail > 0.25 or not done):
            part += offers
        if (not part and not goal.offers and not goal.outcome) or (detail > 0.85 and goal.replied):
            part += teller.given(goal)
        if (goal.told or goal.asked) and (detail > (0.55 if brief else 0.4) or not part):
            part += teller.facts(goal)
        just_wished = wish is not None and len(part) == 1 and not goal.failed
        part += teller.result(goal, just_wished=just_wished)
        if goal.declined and detail > 0.35:
            part += teller.declining(goal)
        sentences += join_up(rng, part, teller)
    last = turns[-1].acts
    ended = any(a.act in ("GOODBYE", "THANK_YOU") for t in turns[-2:] for a in t.acts) or not last
    if not sentences:
        return None
    text = " ".join(start_upper(inflect(s, teller.past)) + "." for s in sentences)
    if rng.random() < (0.0 if brief else house_style):
        text += f" {left_open(rng, teller.left(goals, ended))}".rstrip()
    return text.replace("..", ".").replace(",,", ",")


def join_up(rng: random.Random, parts: list[str], teller: Teller) -> list[str]:
    """Some neighbouring sentences become one: `..., and ...`, or `X wants ... and books ...` with one subject."""
    out: list[str] = []
    for part in parts:
        if out and len(out[-1]) + len(part) < 150 and ", and " not in out[-1] and rng.random() < 0.4:
            same = [str(p) for p in (teller.u, teller.s) if out[-1].startswith(f"{p} ") and part.startswith(f"{p} ")]
            if same and "," not in out[-1]:
                out[-1] = f"{out[-1]} and {part[len(same[0]) + 1 :]}"
            else:
                out[-1] = f"{out[-1]}{rng.choice((', and ', ', and ', '; '))}{part}"
        else:
            out.append(part)
    return out
