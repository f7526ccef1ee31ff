"""One sentence in the third person, by rule: "can you help me?", said by Dana to Ben, becomes "asks Ben to help her".

In: a sentence, who says it, to whom. Out: a predicate for the speaker's name, and what it leaves open; None where no rule fits.
"""

from __future__ import annotations

import itertools
import random
import re

from pretraining.speakers import Person
from pretraining.verbs import (
    ADVERBS,
    BARE,
    FRAGMENT,
    IMPERATIVES,
    MODALS,
    PASTS,
    PREPOSITIONS,
    SMALL,
    STOPWORDS,
    past,
    third_person,
)

AUX = "do|does|did|can|could|will|would|is|are|was|were|have|has|had|should|shall|may|might|am"
SUBJECTS = "i|you|he|she|it|they|we|there|this|that|these|those|everyone|everybody|anyone|anybody|someone"
YES_NO = re.compile(rf"^({AUX})(n't)? ({SUBJECTS})\b(.*)$", re.I)
WH = re.compile(
    rf"^((?:what|which|how much|how many|whose)(?: (?!{AUX}\b)\w+){{0,2}}|when|where|why|who|how(?: (?:long|often|far|old|soon|big|late))?)"
    rf"(?:'s|'re|'ll|'d)? ?({AUX})?(n't)? ({SUBJECTS})\b(.*)$",
    re.I,
)
WHAT_IS = re.compile(
    r"^(what|where|who|when|how)(?:'s| is| are) ((?:the|your|my|a|an|his|her|their|our) [\w' -]+)$", re.I
)
ASIDE = re.compile(r",? (?:um|uh|er|you know|I mean|well),?(?= )", re.I)
SEVERAL = re.compile(
    r"\b(?:of you|you (?:guys|all|both|two|three|folks|people)|y'all|yourselves|everyone's|ladies|gentlemen)\b", re.I
)
ALSO = re.compile(r"\b(and|but) (\w+)\b")
WH_START = re.compile(rf"^(?:what|where|when|why|who|how) (?:{AUX}) (?:{SUBJECTS})\b", re.I)
SPLICE = re.compile(  # a second question, or a second sentence after a comma
    r",? (?:or (?:shall|should|do|can|would|is|are)|(?:isn't|aren't|don't|doesn't|won't|right)) ?\w*$"
    r"|, (?:or (?:shall|should|do|can) )?(?:I|I'll|we|we'll|it|it's|he|she|they|you)\b.*$"
)
VERBISH = re.compile(
    r"(?:'s|'re|'ll|'ve|n't|\b(?:is|are|was|were|has|have|had|will|would|can|could|should|must|may|might|does|do|did|get|got|goes|go|went|"
    r"came|comes|says|said|want|wants|need|needs|take|takes|looks?|seems?|\w{3,}ed))\b"
)


def pronoun(person: Person) -> str:
    """How a person is called inside a report of what he or she says."""
    return person.he if person.gender in ("f", "m") else person.mention


def reflect(text: str, me: Person, you: Person, *, subject_first: bool = False) -> str:
    """A clause with first and second person turned into third; verbs agree. With `subject_first` it starts with the verb of "I"."""
    words = text.split()
    out: list[str] = []
    agree = subject_first
    skipped = 0
    for k, raw in enumerate(words):
        word, tail = split_tail(raw)
        low = word.lower()
        if agree and skipped < 2 and (low in ADVERBS or (low.endswith("ly") and len(low) > 4)):
            skipped += 1
            out.append(raw)
            continue
        if agree:
            agree = False
            word, low = third_person(word), ""
        base, mark, contracted = word.partition("'")
        who = {"i": me, "you": you}.get(base.lower()) if low else None
        if who is not None and (not mark or contracted.lower() in ("m", "re", "ve", "ll", "d")):
            last = words[k - 1].lower().strip(",") if k else ""
            as_object = (
                base.lower() == "you"
                and not mark
                and (k + 1 == len(words) or bool(tail) or is_object(last, words[k + 1]))
            )
            name = pronoun(who) if who is me else (who.him if as_object and who.gender in ("f", "m") else who.mention)
            end = {"m": " is", "re": " is", "ve": " has", "ll": " will", "d": " would"}.get(contracted.lower(), "")
            out.append(name + end + tail)
            agree = not as_object and not mark and not tail
            skipped = 0
            continue
        out.append(other_person(word, low, me, you) + tail)
    return " ".join(out)


def is_object(last: str, following: str) -> bool:
    """Whether "you" between these words is an object: a preposition stands before it, or a verb does and none follows."""
    low = split_tail(following)[0].lower()
    if last in PREPOSITIONS:
        return True
    if low in MODALS or low in BARE or low in PASTS or low in ("are", "do", "don't", "haven't", "aren't"):
        return False
    return any(last.removesuffix(ending) + e in BARE for ending in ("", "ing", "ed", "s", "es") for e in ("", "e"))


def other_person(word: str, low: str, me: Person, you: Person) -> str:
    """Possessives, objects and plurals of the first and second person."""
    if not low:
        return word
    mine = me.his if me.gender in ("f", "m") else me.s
    fixed = {
        "my": mine,
        "mine": mine,
        "me": me.him if me.gender in ("f", "m") else me.mention,
        "myself": {"f": "herself", "m": "himself"}.get(me.gender, me.mention),
        "your": you.s,
        "yours": you.s,
        "yourself": {"f": "herself", "m": "himself"}.get(you.gender, you.mention),
        "we": "they",
        "we're": "they are",
        "we've": "they have",
        "we'll": "they will",
        "we'd": "they would",
        "us": "them",
        "our": "their",
        "ours": "theirs",
        "let's": "they should",
        "gonna": "going to",
        "wanna": "want to",
    }
    return fixed.get(low, word)


def split_tail(raw: str) -> tuple[str, str]:
    """A word and the punctuation after it."""
    word = raw.rstrip(".,!?;:\"')")
    return (word, raw[len(word) :]) if word else (raw, "")


def lower_first(text: str) -> str:
    """Without the sentence's capital, where the first word is not a name."""
    first = text.split(" ", 1)[0]
    plain = split_tail(first)[0].lower().split("'")[0]
    common = plain in STOPWORDS or plain in BARE or plain in ADVERBS or plain in SMALL
    return text[:1].lower() + text[1:] if common and plain != "i" else text


def opens_statement(body: str) -> bool:
    """Whether the rules can put "says that" before it: a small word at its start, or a name or noun with its verb."""
    first, _, rest = body.partition(" ")
    plain = first.lower().split("'")[0].strip(",")
    if plain in FRAGMENT:
        return False
    if plain in STOPWORDS or plain in ADVERBS or plain in SMALL:
        return True
    return bool(
        VERBISH.match(" ".join(rest.split()[:1])) or VERBISH.match(" ".join(rest.split()[1:2])) or "'s" in first
    )


def tell(rng: random.Random, sentence: str, me: Person, you: Person, *, alone: bool) -> tuple[str, str] | None:
    """The predicate that reports a sentence, and what it leaves open; None where no rule fits.

    `alone` says that the one addressed is named (talk of two), so that "asks Ben" can be said.
    """
    body = ASIDE.sub("", sentence.rstrip(".!?,;: "))
    question = sentence.endswith("?") or bool(WH_START.match(body))
    whom = f" {you.mention}" if alone and rng.random() < 0.7 else ""
    first, _, rest = body.partition(" ")
    low = first.lower()
    words = body.split()
    if any(a.lower() == b.lower() for a, b in itertools.pairwise(words)):
        return None  # a slip of the tongue
    if SEVERAL.search(body) or (low == "if" and "," not in body and " then " not in body):
        return None  # to more than one, or a condition of nothing
    if question:
        return ask(SPLICE.sub("", body), me, you, whom)
    if low in ("let's", "lets"):
        return f"suggests that they {reflect(rest, me, you)}", ""
    if low == "please" and rest:
        return f"asks{whom or ' ' + you.mention} to {reflect(lower_first(rest), me, you)}", ""
    if low in ("don't", "never") and rest and rest.split()[0].lower() in BARE:
        rest = SPLICE.sub("", rest)
        return f"tells {you.mention} not to {reflect(rest, me, you)}", ""
    if low in IMPERATIVES and not VERBISH.match(rest):
        body = SPLICE.sub("", body)
        return f"tells {you.mention} to {reflect(lower_first(body), me, you)}", ""
    if low in ("i", "i'm", "i've", "i'll", "i'd") and rest:
        inner = {"i'm": "am ", "i've": "have ", "i'll": "will ", "i'd": "would "}.get(low, "") + rest
        predicate = reflect(inner, me, you, subject_first=True)
        if not mentions_modal(inner):
            predicate = ALSO.sub(also_third_person, predicate, count=1)
        leaves = f"whether {me.mention} {predicate}" if low == "i'll" else ""
        return predicate, leaves
    if VERBISH.search(" ".join(words[:8])) and opens_statement(body):
        said = reflect(lower_first(body), me, you)
        verb = f"tells{whom} that" if whom and rng.random() < 0.5 else "says that" if rng.random() < 0.8 else "says"
        return f"{verb} {said}", ""
    return None


def mentions_modal(clause: str) -> bool:
    """Whether a verb after "and" may go with a modal or an infinitive before it ("can come and stay")."""
    return any(split_tail(word)[0].lower() in MODALS or word.lower() == "to" for word in clause.split())


def also_third_person(match: re.Match[str]) -> str:
    """ "and need" to "and needs": the second verb of "I"; other words stay."""
    return f"{match[1]} {third_person(match[2])}" if match[2] in BARE else match[0]


def ask(body: str, me: Person, you: Person, whom: str) -> tuple[str, str] | None:
    """The predicate that reports a question."""
    low = body.lower()
    if low.startswith(("how about ", "what about ")):
        what = reflect(lower_first(body.split(" ", 2)[2]), me, you)
        return (f"suggests {what}" if re.match(r"(?:an?|\w+ing) ", what) else f"asks{whom} about {what}"), ""
    if low.startswith(("why don't we ", "why don't you ", "shall we ", "should we ")):
        words = body.split(" ")
        at = 3 if words[0].lower() == "why" else 2
        who = "they" if words[at - 1].lower() == "we" else you.mention
        return f"suggests that {who} {reflect(' '.join(words[at:]), me, you)}", ""
    match = YES_NO.match(body)
    if match:
        aux, negated, subject, rest = match[1].lower(), match[2], match[3], match[4].strip()
        if aux in ("can", "could", "would", "will") and subject.lower() == "you" and rest and not negated:
            if rest.lower().startswith(("like ", "mind ", "prefer ")):
                clause = f"{you.mention} would {reflect(rest, me, you)}"
                return f"asks{whom} whether {clause}", f"whether {clause}"
            request = re.sub(r"^(?:please |be able to |just |also )+", "", rest)
            return (
                f"asks {you.mention} to {reflect(request, me, you)}",
                f"whether {you.mention} can {reflect(request, me, you)}",
            )
        clause = declared(aux, subject, rest, me, you)
        return f"asks{whom} whether {clause}", f"whether {clause}"
    match = WHAT_IS.match(body)
    if match:
        clause = f"{match[1].lower()} {reflect(match[2], me, you)} {'are' if ' are ' in f' {low} ' else 'is'}"
        return f"asks{whom} {clause}", clause
    match = WH.match(body)
    if match and match[2]:
        clause = f"{lower_first(match[1])} {declared(match[2].lower(), match[4], match[5].strip(), me, you)}"
        return f"asks{whom} {clause}", clause
    if len(body.split()) <= 6 and not re.match(rf"(?:{AUX}|what|when|where|who|why|how|which)\b", low):
        return f"asks{whom} about {reflect(lower_first(body), me, you)}", ""
    return None


def declared(aux: str, subject: str, rest: str, me: Person, you: Person) -> str:
    """A question's clause in the order of a statement: (do, you, want tea) to "Ben wants tea"."""
    low = subject.lower()
    who = {"i": pronoun(me), "you": you.mention, "we": "they"}.get(low, low)
    singular = low in (
        "i",
        "you",
        "he",
        "she",
        "it",
        "this",
        "that",
        "there",
        "everyone",
        "everybody",
        "anyone",
        "anybody",
        "someone",
    )
    if aux in ("do", "does") and rest:
        return f"{who} {reflect(rest, me, you, subject_first=singular)}"
    if aux == "did" and rest:
        verb, _, tail = rest.partition(" ")
        if verb.lower() in ADVERBS and tail:
            return f"{who} did {reflect(rest, me, you)}"
        return f"{who} {past(verb)} {reflect(tail, me, you)}".strip()
    aux = {
        "am": "is",
        "are": "is" if low in ("i", "you") else "are",
        "have": "has" if singular else "have",
        "shall": "should",
    }.get(aux, aux)
    if aux == "were" and low == "you":
        aux = "was"
    return f"{who} {aux} {reflect(rest, me, you)}".strip()
