"""Mutated inputs over all readers: no crash, no hang, no lost text. A script, as a million of them take longer than tests may.

    python -m tests.dialogue.formats.fuzz --count 1000000 --seed 0

Each input is a sample of `samples`, or two of them spliced, with bytes changed, doubled, cut or moved, and words and marks of other
formats put in. It is read by what its content shows, or by a format taken at random. Whatever is raised must be a `DiasumError`; none may
take longer than `--seconds`; and of text, every long word must come back in a turn when nothing is left out.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import time
import zipfile
from collections import Counter
from itertools import islice

from diasum.dialogue.formats import FORMATS
from diasum.dialogue.read import iter_dialogues
from diasum.errors import DiasumError
from tests.dialogue.formats.samples import SAMPLES

TEXTS = (
    "plain",
    "whatsapp",
    "irc",
    "line",
    "transcript",
    "zoom_chat",
)  # formats in which every word of the file is a turn's or a notice's
PIECES = [
    *(
        b"\n",
        b"\r\n",
        b"\r",
        b"\t",
        b"\0",
        b": ",
        b"<",
        b">",
        b"[",
        b"]",
        b"{",
        b"}",
        b'"',
        b"\\",
        b"\xff",
        b"\xe2\x80\x8e",
        b"\xf0\x9f\x98",
    ),
    *(
        b"12/05/24, 10:33 - ",
        b"[12/05/2024, 10:33:01] ",
        b"10:32\tAna\t",
        b"WEBVTT\n\n",
        b"00:00:01.000 --> 00:00:02.000\n",
        b"<v Ana>",
    ),
    *(
        b"From: ana@x.org\n",
        b"Ana Li   0:03\n",
        b'"text":',
        b'"messages":[',
        b"null",
        b"-1",
        b"1e999",
        b"\\ud83d",
        b"[" * 300,
        b"PK\x03\x04",
    ),
    *(
        "午後".encode(),
        "٣".encode(),
        b"9999999999999999999",
        b"<Media omitted>",
        b"POLL:\n",
        b"--- ",
        b"-->\t",
        b"*** ",
    ),
]
_WORD = re.compile(r"[A-Za-z]{6,}")
_HEADED = {
    "transcript",
    "zoom_chat",
}  # formats whose headers have words that are in no turn: a receiver, a day, a length of time
_HEADER = re.compile(r"\d:\d\d|\d\s?(?:h|min|se[ck])|\d\S* From |^\w+ \d")


def mutated(chance: random.Random, samples: list[bytes]) -> bytes:
    """One of the samples with some changes."""
    content = bytearray(chance.choice(samples))
    if chance.random() < 0.2:
        other = chance.choice(samples)
        content[chance.randrange(len(content) + 1) :] = other[chance.randrange(len(other) + 1) :]
    for _ in range(chance.choice((1, 1, 2, 4, 12))):
        begin = chance.randrange(len(content) + 1)
        end = min(len(content), begin + chance.choice((1, 1, 4, 20, 200)))
        change = chance.randrange(6)
        if change == 0:
            content[begin:end] = b""
        elif change == 1:
            content[begin:begin] = content[begin:end]
        elif change == 2:
            content[begin:end] = (
                chance.randbytes(end - begin) if chance.random() < 0.3 else bytes(reversed(content[begin:end]))
            )
        elif change == 3:
            content[begin:begin] = chance.choice(PIECES)
        elif change == 4 and end > begin:
            content[begin] = chance.randrange(256)
        else:
            piece = content[begin:end]
            del content[begin:end]
            place = chance.randrange(len(content) + 1)
            content[place:place] = piece
    return bytes(content[:20_000])


def check(content: bytes, format_: str) -> str:
    """What became of an input: the format it was read as, or ``refused``.

    Raises:
        AssertionError: words of the input are in no turn.
    """
    try:
        dialogues = list(islice(iter_dialogues(content, format_, keep_nonspeech=True), 1000))
    except DiasumError:
        return "refused"
    formats = {one.format for one in dialogues}
    if formats and formats <= set(TEXTS) and b"\0" not in content:
        lines = re.split(r"[\r\n]", content.decode("utf-8", "ignore"))
        headed = bool(formats & _HEADED)  # also a name above its time
        text = "\n".join(
            line
            for line, below in zip(lines, [*lines[1:], ""], strict=True)
            if not _is_frame(line) and not (headed and _HEADER.search(f"{line} {below}"))
        )
        turns = " ".join(f"{turn.speaker} {turn.text}" for one in dialogues for turn in one.dialogue.turns)
        lost = (
            {word for word in _WORD.findall(text) if word not in turns}
            if content.isascii() and b"-->" not in content
            else set()
        )
        assert not lost, (lost, content)
    return "+".join(sorted(formats)) or "nothing"


def _is_frame(line: str) -> bool:
    """Whether a line may have words that are in no turn: a day above messages, a sender without words."""
    return re.match(r"\W*(?:\w{2,9}[ .,]+)?\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}\D{0,25}$", line) is not None or (
        re.search(r"(?::|:\d\d)\s*$", line) is not None
    )


def zipped(content: bytes, chance: random.Random) -> bytes:
    """The input as the only file of an archive, which is then changed in turn."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        archive.writestr(
            chance.choice(("_chat.txt", "general/2024-05-12.json", "users.json", "../x.txt", "a.json")), content
        )
    return packed.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    everything = [sample for samples in SAMPLES.values() for sample in samples]
    became: Counter[str] = Counter()
    problems = 0
    slowest = 0.0
    began = time.monotonic()
    for number in range(arguments.count):
        content = mutated(chance, everything)
        if chance.random() < 0.03:
            content = mutated(chance, [zipped(content, chance)])
        format_ = "auto" if chance.random() < 0.7 else chance.choice(list(FORMATS))
        start = time.process_time()
        try:
            became[check(content, format_)] += 1
        except Exception as error:
            problems += 1
            print(
                f"input {number}, format {format_}: {type(error).__name__}: {str(error)[:600]}\n  {content[:1500]!r}",
                flush=True,
            )
            if problems >= 20:
                break
        took = time.process_time() - start
        slowest = max(slowest, took)
        if took > arguments.seconds:
            problems += 1
            print(f"input {number}, format {format_}: {took:.1f} s\n  {content[:1500]!r}", flush=True)
        if (number + 1) % 50_000 == 0:
            print(f"{number + 1:,} inputs, {problems} problems, slowest {slowest:.2f} s", flush=True)
    print(
        f"{sum(became.values()) + problems:,} inputs (seed {arguments.seed}) in {time.monotonic() - began:.0f} s: {problems} problems, "
        f"slowest {slowest:.2f} s; {dict(became.most_common())}"
    )
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
