"""Say the goals of an SGD dialogue in words, sentence by sentence; `sgd_summaries` puts the sentences together."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pretraining.sgd_domains import DATES, DOMAINS, TIMES
from pretraining.sgd_facts import FACTS, NOUNS
from pretraining.sgd_goals import Goal
from pretraining.sgd_phrases import Values, bare_date, bare_time, fill, say
from pretraining.speakers import Person

OFFERED_ALIKE = {"weather", "bank", "calendar"}  # domains where an "offer" is the answer to a question


class Teller:
    """Says goals in words, for one summary: who speaks, tense, and how much is told."""

    def __init__(self, rng: random.Random, user: Person, system: Person, *, past: bool, detail: float) -> None:
        self.rng = rng
        self.u, self.s = user, system
        self.past = past
        self.detail = detail
        self.base: Values = {"his": user.his, "u": str(user), "s": str(system)}

    def keep(self) -> bool:
        """Whether an optional detail is said."""
        return self.rng.random() < 0.6 + 0.4 * self.detail

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def fill_any(self, templates: Sequence[str], values: Values) -> str | None:
        """One of the templates, filled: a random one of those whose needs are met."""
        for template in self.rng.sample(templates, len(templates)):
            text = fill(template, values, self.keep)
            if text:
                return text
        return None

    def wish(self, goal: Goal, first: bool) -> str | None:
        """The sentence that says what the user wants."""
        domain = DOMAINS[goal.domain]
        wants = say(goal.wants, domain, self.base)
        u, s = self.u, self.s
        also = "" if first else self.pick("also ", "then ", "", "also ", "next ")
        if goal.intent in domain.items and self.rng.random() < 0.4:
            item = self.fill_any(domain.items[goal.intent], wants)
            if item:
                verb = self.pick(
                    f"{u} <is> {also}looking for",
                    f"{u} {also}<needs>",
                    f"{u} {also}<asks> {s} for",
                    f"{u} {also}<wants>",
                )
                return f"{verb} {item}"
        goal_text = self.fill_any(domain.goals.get(goal.intent, ()), wants)
        if not goal_text:
            return None
        forms = [f"{u} {also}<wants> to", f"{u} {also}<wants> to", f"{u} would {also}like to", f"{u} {also}<needs> to"]
        if not goal_text.startswith(
            (
                "know",
                "visit",
                "see",
                "go",
                "take",
                "fly",
                "travel",
                "stay",
                "eat",
                "hear",
                "listen",
                "watch",
                "get a",
                "move",
            )
        ):
            forms += [f"{u} {also}<asks> {s} to", f"{u} {also}<asks> {s} to", f"{s} <helps> {u}"]
        if goal_text.startswith("know ") and self.rng.random() < 0.6:
            return f"{u} {also}<asks>{self.pick('', f' {s}')} {'about ' if goal_text.startswith('know the ') else ''}{goal_text[5:]}"
        return f"{self.rng.choice(forms)} {goal_text}"

    def offered(self, goal: Goal) -> list[str]:
        """What was suggested and what the user said to it."""
        domain = DOMAINS[goal.domain]
        suggestions: list[tuple[str, str]] = []
        for offer in goal.offers:
            if offer.instead:
                continue
            text = self.fill_any(domain.offer, say({**offer.values}, domain, self.base)) if domain.offer else None
            if text and all(text != t for t, _ in suggestions):
                suggestions.append((text, offer.outcome))
        u, s = self.u, self.s
        if not suggestions:
            return []
        verb = self.pick("<suggests>", "<recommends>", "<offers>", "<finds>", "<proposes>", "<suggests>")
        refused = [t for t, outcome in suggestions if outcome == "refused"]
        chosen = next((t for t, outcome in suggestions if outcome == "chosen"), "")
        wish = self.added(goal) if refused else ""
        if len(refused) > 3:
            refused = []
        listed = " and ".join([", ".join(refused[:-1]), refused[-1]]) if len(refused) > 1 else "".join(refused)
        if chosen and refused and self.detail > 0.3:
            return [
                self.pick(
                    f"{s} {verb} {listed}, but {u} <asks> for something else{wish} and <chooses> {chosen}",
                    f"{u} <does> not want {listed}{wish and f' but something{wish}'} and <picks> {chosen}"
                    if self.past is False
                    else f"{u} <turns> down {listed} and <picks> {chosen}",
                    f"{u} <turns> down {listed} and <settles> on {chosen}",
                    f"after {s} {verb} {listed}, {u} <asks> for another option{wish} and <accepts> {chosen}",
                    f"{s} first {verb} {listed} and then {chosen}, which {u} <likes>",
                )
            ]
        if chosen:
            return [
                self.pick(
                    f"{s} {verb} {chosen}, and {u} <accepts>",
                    f"{s} {verb} {chosen} and {u} <agrees>",
                    f"{u} <chooses> {chosen}",
                    f"{s} {verb} {chosen}, which {u} <likes>",
                    f"{u} <likes> {s.s} suggestion, {chosen}",
                    f"{u} <decides> on {chosen}",
                )
            ]
        if refused:
            return [
                self.pick(
                    f"{s} {verb} {listed}, but {u} <asks> for something else{wish}",
                    f"{u} <does> not take {listed} and <asks> for other options{wish}"
                    if not self.past
                    else f"{u} <declines> {listed} and <asks> for other options{wish}",
                    f"{u} <rejects> {listed} and <wants> something else{wish}",
                )
            ]
        return [
            self.pick(
                f"{s} {verb} {suggestions[-1][0]}",
                f"{s} {verb} {suggestions[-1][0]} to {u}" if verb != "<finds>" else f"{s} <finds> {suggestions[-1][0]}",
            )
        ]

    def added(self, goal: Goal) -> str:
        """Wishes added when asking for something else: ` in Palo Alto`."""
        slots = say(goal.more, DOMAINS[goal.domain], self.base)
        return "".join(f" {slots[k]}" for k in ("city", "date", "time", "area", "director", "artist") if k in slots)

    def answers(self, goal: Goal) -> list[str]:
        """What a look-up found: a balance, the weather, show times."""
        domain = DOMAINS[goal.domain]
        answers = []
        for offer in goal.offers:
            if domain.answer and (goal.domain in OFFERED_ALIKE or "time" in offer.values):
                text = self.fill_any(domain.answer, say(offer.values, domain, self.base))
                if text and text not in answers:
                    answers.append(text)
        if not answers:
            return []
        answers = answers[-3:]
        text = " and that ".join(answers)
        u, s = self.u, self.s
        return [
            self.pick(
                f"{s} <says> that {text}",
                f"{s} <tells> {u} that {text}",
                f"{u} <learns> that {text}",
                f"{s} <says> {answers[-1]}",
            )
        ]

    def facts(self, goal: Goal) -> list[str]:
        """Facts that the user asked for and was told."""
        asked: list[str] = []
        clauses: list[str] = []
        for slot, value in goal.told.items():
            if slot not in FACTS:
                continue
            about, clause = FACTS[slot]
            if "|" in clause:
                yes, no = clause.split("|")
                if value not in ("True", "False"):
                    continue
                clause = yes if value == "True" else no
            elif value in ("True", "False"):
                continue
            asked.append(about)
            shown = bare_time(value) if slot in TIMES else bare_date(value) if slot in DATES else value
            clauses.append(clause.replace("{v}", shown))
        u, s = self.u, self.s
        if not clauses:
            open_questions = [FACTS[slot][0] for slot in goal.asked if slot in FACTS]
            if open_questions and self.detail > 0.4:
                return [f"{u} <asks> {self.ask(open_questions[:2])}"]
            return []
        if len(clauses) > 3:
            asked, clauses = asked[-3:], clauses[-3:]
        listed = " and ".join(clauses) if len(clauses) < 3 else f"{clauses[0]}, {clauses[1]} and {clauses[2]}"
        forms = [
            f"{s} <tells> {u} that {listed}",
            f"{s} <says> {listed}",
            f"{s} <informs> {u} that {listed}",
            f"{u} <learns> that {listed}",
        ]
        if len(asked) < 3:
            forms += [
                f"{u} <asks> {self.ask(asked)}, and {s} <says> {listed}",
                f"when {u} <asks> {self.ask(asked)}, {s} <says> {listed}",
            ]
        return [self.rng.choice(forms)]

    def ask(self, asked: Sequence[str]) -> str:
        """`asks` needs: for the address, whether pets are allowed, about the price."""
        nouns = [what.removeprefix("about ") for what in dict.fromkeys(asked) if what.startswith(("the ", "about "))]
        clauses = [what for what in dict.fromkeys(asked) if not what.startswith(("the ", "about "))]
        return " and ".join(([f"{self.pick('for', 'about')} {' and '.join(nouns)}"] if nouns else []) + clauses)

    def given(self, goal: Goal) -> list[str]:
        """For a window without the wish itself: what the system asks for and the user gives."""
        replied = [(k, v) for k, v in goal.replied.items() if k in NOUNS and v not in ("True", "False")][-3:]
        u, s = self.u, self.s
        if replied:
            nouns = [NOUNS[k] for k, _ in replied]
            shown = [bare_time(v) if k in TIMES else bare_date(v) if k in DATES else v for k, v in replied]
            values = " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
            what = " and ".join([", ".join(nouns[:-1]), nouns[-1]]) if len(nouns) > 1 else nouns[0]
            return [
                self.pick(
                    f"{s} <asks> for {what}, and {u} <says> {values}",
                    f"{s} <asks> {u} for {what}, and {u} <gives> {values}",
                    f"{u} <gives> {values} as {what}" if len(nouns) == 1 else f"{u} <tells> {s} {what}: {values}",
                    f"{u} <says> that {nouns[0]} <is> {values}"
                    if len(nouns) == 1
                    else f"{s} <asks> for {what}: {values}",
                )
            ]
        prompted = [NOUNS[k] for k in goal.prompted if k in NOUNS][:2]
        if prompted and not goal.offers and not goal.outcome:
            return [f"{s} <asks> {u} {self.pick('for', 'about')} {' and '.join(prompted)}"]
        return []

    def result(self, goal: Goal, just_wished: bool) -> list[str]:
        """How it ended: booked, failed, failed and then booked, something else instead."""
        domain = DOMAINS[goal.domain]
        u, s = self.u, self.s
        final = say({**goal.confirm, **({} if goal.outcome == "done" else goal.corrected)}, domain, self.base)
        out: list[str] = []
        thing = domain.thing
        if goal.failed is not None:
            tried = say(goal.failed, domain, self.base)
            when = f" {tried['time']}" if "time" in tried and goal.corrected.get("time") and self.keep() else ""
            trouble = [
                f"{thing} <cannot> be arranged{when}",
                f"{s} <cannot> arrange {thing}{when}",
                f"arranging {thing}{when} <fails>",
            ]
            if thing == "the reservation":
                trouble = [f"{s} <cannot> make the reservation{when}", f"the reservation <cannot> be made{when}"]
            elif domain.books[0] == "<books>":
                trouble = [f"{thing} <cannot> be booked{when}", f"{s} <cannot> book {thing}{when}", f"booking {thing}{when} <fails>",
                           f"{s} <says> {thing} <cannot> be booked{when}"]  # fmt: skip
            text = self.rng.choice(trouble)
            instead = next((o for o in goal.offers if o.instead), None)
            changed = say(goal.corrected, domain, self.base)
            wishes = [changed[k] for k in ("name_", "date", "time") if k in changed][:2]
            if instead is not None and domain.offer:
                values = say(instead.values, domain, self.base)
                other = self.fill_any(domain.offer, values) or " ".join(
                    values[k] for k in ("date", "time") if k in values
                )
                if other:
                    reaction = {"chosen": f", which {u} <accepts>", "refused": f", but {u} <declines>"}.get(
                        instead.outcome, ""
                    )
                    text += f", so {s} <suggests> {other} instead{reaction}"
            elif wishes and goal.outcome == "done":
                text += f", so {u} <tries> {' '.join(wishes)}"
            elif wishes:
                text += f", and {u} <wants> to try {' '.join(wishes)}"
            out.append(text)
        if goal.outcome == "done":
            text = self.fill_any(domain.booked, final) or thing
            verb = self.rng.choice(domain.books)
            who = (
                self.pick(str(s), str(s), str(u))
                if goal.domain not in ("bank", "calendar", "media", "music")
                else str(s)
            )
            if just_wished and self.rng.random() < 0.4:
                pronoun = "them" if thing.endswith("tickets") else "it"
                short = [f"{s} {verb} {pronoun}", f"{s} {verb} {thing}", f"{s} <arranges> this"]
                if "time" in final:
                    short.append(f"{s} {verb} {pronoun} {final['time']}")
                return [*out, self.rng.choice(short)]
            forms = [f"{who} {verb} {text}", f"{s} {verb} {text}"]
            if goal.domain not in ("calendar", "music", "media"):
                forms += [f"{s} <confirms> {text}"] if goal.domain != "bank" else []
                forms += (
                    [f"{s} {verb} {text} for {u}"]
                    if goal.domain not in ("bank", "ride", "restaurant", "house", "home")
                    else []
                )
            if goal.corrected and goal.failed is None and self.detail > 0.5:
                changes = say(goal.corrected, domain, self.base)
                changed_to = next(
                    (changes[k + "_"] for k in ("date", "time", "name", "city") if k + "_" in changes), ""
                )
                if changed_to:
                    out.append(f"{u} <changes> {self.changed_noun(goal)} to {changed_to}")
            out.append(("finally, " if out and self.rng.random() < 0.3 else "") + self.rng.choice(forms))
        elif not goal.outcome and goal.confirm:
            asked = self.fill_any(domain.booked, final)
            if asked:
                out.append(f"{s} <asks> {u} to confirm {asked}")
        return out

    def changed_noun(self, goal: Goal) -> str:
        slot = next(k for k in ("date", "time", "name", "city") if k in goal.corrected)
        return {"date": "the date", "time": "the time", "name": "the choice", "city": "the city"}[slot]

    def declining(self, goal: Goal) -> list[str]:
        thing = DOMAINS[goal.domain].thing
        u = self.u
        return [
            self.pick(
                f"{u} <does> not want to make {thing} now"
                if thing == "the reservation"
                else f"{u} <does> not need {thing} for now",
                f"{u} <decides> not to go ahead with {thing} yet",
                f"{u} <does> not want {thing} yet",
            )
        ]

    def left(self, goals: Sequence[Goal], ended: bool) -> list[str]:
        """What is still open at the end."""
        left = []
        for goal in goals:
            thing = DOMAINS[goal.domain].thing
            later_done = any(g.domain == goal.domain and g.outcome == "done" for g in goals)
            unfinished = not ended and goal is goals[-1] and goal.outcome != "done"
            if not later_done and (goal.outcome == "failed" or goal.declined or (unfinished and goal.intent)):
                left.append(thing)
        return list(dict.fromkeys(left))
