"""The one record of a summary, which everything that writes summaries uses: command line, predictions, Python.

It stands in `data/`, the lowest folder that has what it is made of (`Reading`, `LostLetters`, and claims from below): it needs no
model, so that models, evaluation and whatever only reads records can all use it. `docs/generation.md` describes each field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from diasum.claims.extraction import Claim, extract_claims
from diasum.claims.language import is_english
from diasum.claims.sentence_checks import Verdict
from diasum.claims.sentences import sentence_spans
from diasum.config import GenerateSettings, PromptSettings
from diasum.data.letters import LostLetters
from diasum.data.turns_read import Reading
from diasum.errors import DiasumError

VERSION = 1  # of the record; raised when a field is removed or changes its meaning, not when one is added
NO_ENGINE = "none"
FinishReason = Literal["stop", "length"]
_OF_RECORDS = frozenset(
    {"version", "sentences", "finish_reason", "engine"}
)  # together: a record, not another system's row


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a summary.

    Attributes:
        text: as it stands in the summary.
        start, end: its character offsets there.
        turns: ids of the turns it rests on; empty: not looked for.
        claims: the names and quantities that begin in it, with offsets in the summary; None: not looked for, as the text is not English.
        verdict: what `diasum.claims.sentence_checks` says of it; None: it was not asked.
        reasons: for readers: what speaks against it, or why it was not checked.
    """

    text: str
    start: int
    end: int
    turns: tuple[int, ...] = ()
    claims: tuple[Claim, ...] | None = None
    verdict: Verdict | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """What a model read of a conversation in one pass.

    Attributes:
        spans: ids of the first and last turn of each run of turns that was read, whole or in part; at least one run.
        whole: whether each turn from the first to the last was read in full.
    """

    spans: tuple[tuple[int, int], ...]
    whole: bool

    @property
    def first(self) -> int:
        """Id of the first turn."""
        return self.spans[0][0]

    @property
    def last(self) -> int:
        """Id of the last turn."""
        return self.spans[-1][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A summary, what it says, how it was made, and what was lost on the way. None means unknown.

    Attributes:
        text: the summary.
        sentences: its sentences, in order.
        finish_reason: ``stop``, it came to its end; ``length``, it reached `generate.max_new_tokens` before.
        engine: what generated it, the name of a baseline, or ``none`` for what came from elsewhere.
        settings_hash: of the settings that it was generated with, see `settings_hash`.
        reading: which part of the conversation was read.
        windows: the same, by each time the model read some of it; empty where nothing was read.
        passes: how often the model read and wrote: more often than there are windows where their summaries were read again.
        tokens_read: source tokens in all passes, prompts included.
        dtype: number type in which it was generated, ``fp32`` or ``bf16``; of an export to ct2 ``int8`` or ``int8_bf16``, too.
        dtype_reason: why in that one.
        engine_reason: why that engine generated it.
        lost: letters of the conversation that the tokenizer lacks: neither read nor written.
        redacted: how many values of each kind were hidden from the model and put back (`diasum.redaction`); None: nothing was to be.
        review: how likely it is that a sentence is wrong, 0 to 1 (`diasum.claims.sentence_checks`); None where none was checked.
        not_checked: what of it was not checked, for readers; None where nothing was.
    """

    text: str
    sentences: tuple[Sentence, ...]
    finish_reason: FinishReason | None = None
    engine: str = NO_ENGINE
    settings_hash: str | None = None
    reading: Reading | None = None
    windows: tuple[Window, ...] | None = None
    passes: int | None = None
    tokens_read: int | None = None
    dtype: str | None = None
    dtype_reason: str | None = None
    engine_reason: str | None = None
    lost: LostLetters | None = None
    redacted: Mapping[str, int] | None = None
    review: float | None = None
    not_checked: tuple[str, ...] | None = None

    @classmethod
    def of_text(
        cls,
        text: str,
        *,
        finish_reason: FinishReason | None = None,
        engine: str = NO_ENGINE,
        english: bool | None = None,
    ) -> Summary:
        """A summary of which only the text need be known.

        Args:
            text: the summary.
            finish_reason: where it is known.
            engine: the name of what made it.
            english: whether claims can be looked for; told from the text when not given.
        """
        return cls(text=text, sentences=split_into_sentences(text, english), finish_reason=finish_reason, engine=engine)

    @property
    def summary_cut(self) -> bool | None:
        """Whether the summary reached its length limit before it ended."""
        return None if self.finish_reason is None else self.finish_reason == "length"

    @property
    def cut(self) -> bool | None:
        """Whether anything is missing: of the conversation, which did not fit the model's input, or of the summary."""
        if self.summary_cut or (self.reading and not self.reading.whole):
            return True
        return None if self.finish_reason is None else False

    @property
    def turns(self) -> int | None:
        """Turns of the conversation."""
        return self.reading.turns if self.reading else None

    @property
    def turns_cut(self) -> int | None:
        """Turns of the conversation that were not read, or only in part."""
        return self.reading.turns_cut if self.reading else None

    @property
    def read(self) -> str | None:
        """What was read, in words: ``read turns 1 to 5 of 133 (4% of the words)``."""
        return self.reading.sentence() if self.reading else None

    @property
    def read_in_windows(self) -> str | None:
        """How a long conversation was read, and at what cost; None where one window held it.

        For example ``read in 4 windows (5 passes, 2,130 tokens)``.
        """
        if self.windows is None or len(self.windows) < 2:
            return None
        split = "" if all(window.whole for window in self.windows) else "; a turn longer than one of them is split"
        if not self.passes or not self.tokens_read:
            return f"read in {len(self.windows)} windows{split}"
        return f"read in {len(self.windows)} windows ({self.passes} passes, {self.tokens_read:,} tokens){split}"

    def to_record(self) -> dict[str, Any]:
        """All of it as plain data for JSON; ``read`` is null where all was."""
        plain = _fields().dump_python(self, mode="json")
        reading, lost = self.reading, self.lost
        return {
            "version": VERSION,
            "summary": self.text,
            "sentences": plain["sentences"],
            "finish_reason": self.finish_reason,
            "engine": self.engine,
            "settings_hash": self.settings_hash,
            "windows": None
            if self.windows is None
            else [
                {"first": window.first, "last": window.last, **fields}
                for window, fields in zip(self.windows, plain["windows"], strict=True)
            ],
            "passes": self.passes,
            "tokens_read": self.tokens_read,
            "cut": self.cut,
            "summary_cut": self.summary_cut,
            "turns": self.turns,
            "turns_cut": self.turns_cut,
            "words": reading and reading.words,
            "words_read": reading and reading.words_read,
            "read": reading.sentence() if reading and not reading.whole else None,
            "letters_lost": lost and lost.share,
            "letters_dropped": lost and lost.dropped,
            "scripts_lost": lost and list(lost.scripts),
            "dtype": self.dtype,
            "dtype_reason": self.dtype_reason,
            "engine_reason": self.engine_reason,
            "redacted": plain["redacted"],
            "review": self.review,
            "not_checked": plain["not_checked"],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], where: str = "The record") -> Summary:
        """Read what `to_record` wrote, or a line of `predictions.jsonl`, whose text is called ``prediction``.

        Other keys are passed over. Of a record without a version, which diasum 0.1.0 wrote, the text counts and whether it was cut.

        Args:
            record: from JSON.
            where: what to call it in errors, such as a file and line.

        Raises:
            DiasumError: a newer version wrote it, a field is missing or no such value, or its sentences are not those of its text.
        """
        text = record.get("prediction", record.get("summary"))
        if not isinstance(text, str):
            raise DiasumError(
                f"{where} is not a summary record: its text is missing.",
                hint="Expected an object as `diasum summarize --jsonl` prints it, with `summary` or `prediction`.",
            )
        if "version" not in record:
            return cls.of_text(text, finish_reason=finish_reason_of(record))
        _check_version(record["version"], where)
        try:
            values = {
                **{name: record[name] for name in ("sentences", "finish_reason", "engine", "settings_hash", "windows")},
                **{name: record[name] for name in ("dtype", "dtype_reason")},
                "text": text,
                "reading": _reading(record),
                "passes": record.get("passes"),  # since a conversation may be read in several windows
                "tokens_read": record.get("tokens_read"),
                "engine_reason": record.get("engine_reason"),
                "lost": _lost(record),
                **{name: record.get(name) for name in ("redacted", "review", "not_checked")},
            }
            summary: Summary = _fields().validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise _damaged(where, f"`{field}`: {first['msg']}, found {first['input']!r:.60}") from None
        except KeyError as error:
            raise _damaged(where, f"it has no `{error.args[0]}`") from None
        except (TypeError, AttributeError) as error:
            raise _damaged(where, str(error)) from None
        if not is_of(text, record["sentences"]):
            raise _damaged(where, "its sentences are not those of its text")
        return summary


def is_record(row: Mapping[str, Any], where: str) -> bool:
    """Whether a row holds a versioned record, not another system's columns that happen to have such a name.

    Raises:
        DiasumError: it is one of a newer version.
    """
    if not row.keys() >= _OF_RECORDS or not isinstance(row["sentences"], list):
        return False
    _check_version(row["version"], where)
    return True


def is_of(text: str, sentences: Iterable[Any]) -> bool:
    """Whether a record's sentences are those of a text: False if somebody changed the text afterwards."""
    there = []
    for sentence in sentences:
        start, end = (sentence.get("start"), sentence.get("end")) if isinstance(sentence, Mapping) else (None, None)
        if not isinstance(start, int) or not isinstance(end, int) or text[start:end] != sentence.get("text"):
            return False
        there.append(text[start:end])
    return "".join(text.split()) == "".join("".join(there).split())


def finish_reason_of(row: Mapping[str, Any]) -> FinishReason | None:
    """Why a summary ended, by what a row without a version says of it: ``summary_cut``, or ``cut`` as 0.1.0 wrote it."""
    cut = row.get("summary_cut", row.get("cut"))
    return {True: "length", False: "stop"}.get(cut) if isinstance(cut, bool) else None  # type: ignore[return-value]


def split_into_sentences(text: str, english: bool | None = None) -> tuple[Sentence, ...]:
    """The sentences of a summary with their claims.

    Args:
        text: the summary.
        english: whether claims can be looked for: the rules are English. Told from the text when not given.
    """
    english = is_english([text]) if english is None else english
    claims = extract_claims(text) if english else None
    return tuple(
        Sentence(
            text[start:end],
            start,
            end,
            claims=None if claims is None else tuple(one for one in claims if start <= one.start < end),
        )
        for start, end in sentence_spans(text)
    )


def windows_of(reading: Reading) -> tuple[Window, ...]:
    """The one window in which a reading was made; none where nothing was read."""
    spans = tuple((first - 1, last - 1) for first, last in reading.spans)
    return (Window(spans, whole=len(spans) == 1 and not reading.partial),) if spans else ()


def settings_hash(generate: GenerateSettings, prompt: PromptSettings, judge: str | None = None) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of what a summary is generated with, as JSON with sorted keys.

    Args:
        generate: with the number type that was used, not ``auto``.
        prompt: as decided for the base (`PromptSettings.for_base`).
        judge: the weights of the one by which it was chosen among others, if it was.
    """
    values: dict[str, Any] = {"generate": generate.model_dump(mode="json"), "prompt": prompt.model_dump(mode="json")}
    if judge is not None:
        values["judge"] = judge
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@cache
def _fields() -> TypeAdapter[Summary]:
    return TypeAdapter(Summary)


def _check_version(version: object, where: str) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _damaged(where, f"`version`: expected a whole number from 1, found {version!r:.60}")
    if version > VERSION:
        raise DiasumError(
            f"{where} holds a summary record of version {version}; this version of diasum reads versions up to {VERSION}.",
            hint="Update diasum: pip install --upgrade diasum",
        )


def _damaged(where: str, problem: str) -> DiasumError:
    return DiasumError(f"{where} is not a complete summary record: {problem}.", hint="Write it again with diasum.")


def _reading(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of a `Reading`, whose spans are those of all windows together and count from 1."""
    if record["turns"] is None:
        return None
    spans: list[tuple[int, int]] = []
    for first, last in sorted((first, last) for window in record["windows"] for first, last in window["spans"]):
        if spans and first + 1 <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], last + 1))
        else:
            spans.append((first + 1, last + 1))
    return {
        "turns": record["turns"],
        "spans": spans,
        "partial": record["turns_cut"] - record["turns"] + sum(last - first + 1 for first, last in spans),
        "words": record["words"],
        "words_read": record["words_read"],
    }


def _lost(record: Mapping[str, Any]) -> dict[str, Any] | None:
    if record["letters_lost"] is None:
        return None
    return {
        "share": record["letters_lost"],
        "dropped": record["letters_dropped"],
        "scripts": record["scripts_lost"],
    }


NOTHING = Summary(  # of a conversation in which nothing is said
    text="", sentences=(), finish_reason="stop", reading=Reading(0, (), 0, 0, 0), windows=(), lost=LostLetters()
)
