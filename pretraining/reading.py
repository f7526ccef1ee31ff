"""Small questions about a dialogue or a list whose answers stand in the source: reading and copying, simple to hard.

Each question maker takes a random generator and what it asks about, and returns (first line, body, cue, answer), or
None where the question cannot be asked. Answers are at most `MAX_ANSWER` words long.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from pretraining.names import FAMILY, FEMALE, MALE

MAX_ANSWER = 40
Line = tuple[str, str]
Question = tuple[str, str, str, str]
ASK = "Answer the question about the following conversation."
REPEAT = "Repeat what is said by the speaker named."
NUMBER = re.compile(
    r"\$?\d+(?:st|nd|rd|th)?(?:[:.,/-]\d+)*(?: (?:am|pm|AM|PM)\b)?|\b(?:half past|quarter to|quarter past) \w+"
)
CAPITAL = re.compile(r"(?<![.?!:\"] )(?<!^)(?<!\w)[A-Z][a-z]+(?: [A-Z][a-z]+)*")
ORDINALS = ("first", "second", "third", "fourth")


def render(lines: Sequence[Line]) -> str:
    return "\n".join(f"{speaker}: {text}" for speaker, text in lines)


def short(text: str) -> bool:
    return text.count(" ") < MAX_ANSWER


def last_of(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    speaker = rng.choice(lines)[0]
    texts = [t for s, t in lines if s == speaker]
    if rng.random() < 0.7:
        return REPEAT, render(lines), f"What does {speaker} say last?", texts[-1]
    return REPEAT, render(lines), f"What does {speaker} say first?", texts[0]


def nth_turn(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    if rng.random() < 0.5:
        return ASK, render(lines), "What is the last turn?", ": ".join(lines[-1])
    k = rng.randrange(min(len(ORDINALS), len(lines)))
    return ASK, render(lines), f"What is the {ORDINALS[k]} turn?", ": ".join(lines[k])


def who_says(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    speaker, text = rng.choice(lines)
    words = text.split()
    if len(words) > 5 and rng.random() < 0.6:
        at = rng.randrange(len(words) - 3)
        text = " ".join(words[at : at + rng.randint(3, 8)])
    if len({s for s, t in lines if text in t}) > 1:
        return None
    return ASK, render(lines), f'Who says "{text}"?', speaker


def complete(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    words = rng.choice(lines)[1].split()
    if len(words) < 4:
        return None
    at = rng.randint(2, min(4, len(words) - 2))
    head = " ".join(words[:at])
    if sum(t.startswith(head) for _, t in lines) > 1:
        return None
    return ASK, render(lines), f'Complete what is said: "{head}', " ".join(words[at:])


def speakers(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    return (
        ASK,
        render(lines),
        rng.choice(("Who speaks?", "List the speakers.")),
        ", ".join(dict.fromkeys(s for s, _ in lines)),
    )


def numbers(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    listed = list(dict.fromkeys(n for _, t in lines for n in NUMBER.findall(t)))
    if not listed and rng.random() < 0.8:
        return None
    cue = rng.choice(("Which numbers and times are mentioned?", "List the numbers in the order they are mentioned."))
    return ASK, render(lines), cue, ", ".join(listed[:12]) or "none"


def names(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    listed = list(dict.fromkeys(n for _, t in lines for n in CAPITAL.findall(t) if n not in ("I", "OK")))
    if not listed:
        return None
    return (
        ASK,
        render(lines),
        rng.choice(("Which names are mentioned?", "List the names in what is said.")),
        ", ".join(listed[:10]),
    )


def who_mentions(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    mentions = [n for _, t in lines for n in NUMBER.findall(t) + CAPITAL.findall(t)]
    if not mentions:
        return None
    what = rng.choice(mentions)
    by = list(dict.fromkeys(s for s, t in lines if what in t))
    return ASK, render(lines), f"Who mentions {what}?", " and ".join(by)


def neighbour(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    if len(lines) < 2:
        return None
    k = rng.randrange(len(lines) - 1)
    if rng.random() < 0.7:
        asked, answer, how = lines[k][1], lines[k + 1][1], rng.choice(("What is the answer to", "What is said after"))
    else:
        asked, answer, how = lines[k + 1][1], lines[k][1], "What is said before"
    words = asked.split()
    quoted = asked if len(words) < 9 else " ".join(words[:8])
    if sum(quoted in t for _, t in lines) > 1:
        return None
    return ASK, render(lines), f'{how} "{quoted}"?', answer


def missing_words(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    """A word or two are blanked that also stand elsewhere in the dialogue."""
    k = rng.randrange(len(lines))
    rest = " ".join(f"{s}: {t}" for i, (s, t) in enumerate(lines) if i != k)
    words = lines[k][1].split()
    spans = [
        (i, n) for n in (3, 2, 1) for i in range(len(words) - n + 1) if fits_elsewhere(" ".join(words[i : i + n]), rest)
    ]
    if not spans:
        return None
    i, n = rng.choice(spans[:4])
    gone = " ".join(words[i : i + n])
    blanked = list(lines)
    blanked[k] = (lines[k][0], " ".join([*words[:i], "____", *words[i + n :]]))
    return "Fill in the blank.", render(blanked), "What is missing?", gone.strip(".,?!")


def fits_elsewhere(phrase: str, rest: str) -> bool:
    bare = phrase.strip(".,?!")
    return len(bare) > 4 and bare[:1].isalnum() and bare in rest and (" " in bare or bare[0].isupper() or len(bare) > 6)


def containing(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    speaker, text = rng.choice(lines)
    words = [w.strip('.,?!"') for w in text.split()]
    rare = [w for w in words if len(w) > 3 and sum(w in t for _, t in lines) == 1]
    if not rare:
        return None
    word = rng.choice(rare)
    return ASK, render(lines), f'Which turn contains "{word}"?', f"{speaker}: {text}"


def count_turns(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    if rng.random() < 0.5:
        return ASK, render(lines), "Who speaks last?", lines[-1][0]
    if len(lines) > 10:
        return None
    speaker = rng.choice(lines)[0]
    return ASK, render(lines), f"How many times does {speaker} speak?", str(sum(s == speaker for s, _ in lines))


def all_said_by(rng: random.Random, lines: Sequence[Line]) -> Question | None:
    speaker = rng.choice(lines)[0]
    return REPEAT, render(lines), f"What does {speaker} say?", " ".join(t for s, t in lines if s == speaker)


READERS: tuple[tuple[float, Callable[[random.Random, Sequence[Line]], Question | None]], ...] = (
    (3, last_of),
    (1.5, nth_turn),
    (2, who_says),
    (2.5, complete),
    (1, speakers),
    (2, numbers),
    (2, names),
    (1.5, who_mentions),
    (2, neighbour),
    (3, missing_words),
    (1.5, containing),
    (1, count_turns),
    (1, all_said_by),
)
_READER_WEIGHTS = [w for w, _ in READERS]


def read(rng: random.Random, lines: Sequence[Line]) -> tuple[str, Question] | None:
    """A question about the dialogue, with the name of its kind."""
    maker = rng.choices(READERS, _READER_WEIGHTS)[0][1]
    question = maker(rng, lines)
    return (maker.__name__, question) if question and question[3] and short(question[3]) else None


# -- copying: lists of words, no dialogue ------------------------------------------------------------------------------
def item(rng: random.Random, vocabulary: Sequence[str]) -> str:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(vocabulary)
    if kind < 0.75:
        return rng.choice(rng.choice((FEMALE, MALE, FAMILY)))
    if kind < 0.85:
        return str(rng.randint(0, 9999) if rng.random() < 0.5 else rng.randint(0, 30))
    if kind < 0.92:
        return f"{rng.randint(1, 12)}:{rng.choice(('00', '15', '30', '45'))} {rng.choice(('am', 'pm'))}"
    if kind < 0.96:
        return f"${rng.randint(1, 900)}"
    return f"#Person{rng.randint(1, 4)}#"


def copy(rng: random.Random, vocabulary: Sequence[str], max_words: int) -> tuple[str, Question]:
    """Repeat, look up, continue: fast to learn, and what attention that copies is made of."""
    n = rng.randint(2, max(3, min(16, max_words // 3)))
    items = [item(rng, vocabulary) for _ in range(n)]
    kind = rng.randrange(8)
    if kind < 2:
        return "repeat", ("Repeat the following words.", " ".join(items), "Repeat:", " ".join(items))
    if kind == 2:
        return "repeat_list", ("Repeat the following list.", "\n".join(items), "Repeat:", ", ".join(items))
    items = list(dict.fromkeys(items))
    if len(items) < 2:
        items += [str(rng.randint(10000, 20000))]
    if kind == 3:
        at = rng.randrange(len(items) - 1)
        return "what_follows", (
            "Answer from the following words.",
            ", ".join(items),
            f"What comes after {items[at]}?",
            items[at + 1],
        )
    if kind == 4:
        keys = [rng.choice(rng.choice((FEMALE, MALE))) for _ in items]
        pairs = dict(zip(keys, items, strict=True))
        key = rng.choice(keys)
        body = "\n".join(f"{k}: {v}" for k, v in pairs.items())
        return "lookup", ("Answer from the following list.", body, f"What does {key} say?", pairs[key])
    if kind == 5:
        at = rng.randrange(len(items))
        marked = [f"*{w}*" if i == at else w for i, w in enumerate(items)]
        return "marked", ("Which word is marked?", " ".join(marked), "Marked:", items[at])
    if kind == 6:
        twice = items + [rng.choice(items) for _ in range(rng.randint(1, 3))]
        return "distinct", ("Repeat each word once.", " ".join(twice), "Repeat:", " ".join(items))
    at = rng.randrange(1, len(items))
    return "continue", (
        "Continue the list.",
        ", ".join(items),
        f"Continue: {', '.join(items[:at])},",
        ", ".join(items[at:]),
    )
