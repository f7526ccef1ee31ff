"""Training on dialogues that are longer than the model's input (`train.long`).

In: pairs. Out: encoded features and what was done. Under ``windows`` each window of a dialogue is an example of its own, and each
sentence of the reference belongs to the window that holds most of it (ROUGE recall, as in Summ^N: Zhang et al. 2021, arXiv 2110.10150);
windows without a sentence are left out and counted. Speakers have the numbers that they have in the whole, as in summaries.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from diasum.claims.sentences import sentence_spans
from diasum.data.encoded import EncodingReport
from diasum.data.encoding import PairEncoder
from diasum.data.pairs import Pair
from diasum.data.window_summaries import recall
from diasum.errors import DiasumError
from diasum.wording import counted

Long = Literal["cut", "windows", "refuse"]
Features = list[dict[str, list[int]]]


def encode_pairs(encoder: PairEncoder, pairs: Sequence[Pair], long: Long) -> tuple[Features, EncodingReport]:
    """Encode prompts and first references, as `PairEncoder.encode`, with a say on dialogues that are too long.

    Args:
        encoder: of the base.
        pairs: each with a reference.
        long: ``cut``: a feature a pair, turns left out; ``windows``: one for each window that a reference sentence belongs to;
            ``refuse``.

    Raises:
        DiasumError: a pair has no reference, or, under ``refuse``, its dialogue is too long.
    """
    encoded, report = encoder.encode_pairs(pairs)
    if long == "cut" or not report.cut:
        return [one.feature for one in encoded], report
    too_long = [pair.id for pair, one in zip(pairs, encoded, strict=True) if one.source.is_cut]
    if long == "refuse":
        some = ", ".join(too_long[:5]) + (" ..." if len(too_long) > 5 else "")
        raise DiasumError(
            f"{len(too_long)} of {counted(len(pairs), 'dialogue')} take more than {encoder.settings.max_source_tokens} tokens: {some}.",
            hint="train.long=windows trains on all of them, part by part, and train.long=cut on the part that fits; or raise "
            "prompt.max_source_tokens, or take them out.",
        )
    features: Features = []
    windows = left_out = targets_cut = 0
    for pair, one in zip(pairs, encoded, strict=True):
        if not one.source.is_cut:
            features.append(one.feature)
            targets_cut += one.target.is_cut
            continue
        of_pair = encoder.encode_windows(pair.dialogue)
        parts = window_targets([window.text for window in of_pair], encoder.target(pair.dialogue, pair.references[0]))
        there = [(window, part) for window, part in zip(of_pair, parts, strict=True) if part]
        targets = encoder.encode_targets([part for _, part in there])
        features += [
            {"input_ids": window.input_ids, "labels": target.ids}
            for (window, _), target in zip(there, targets, strict=True)
        ]
        windows += len(of_pair)
        left_out += len(of_pair) - len(there)
        targets_cut += sum(target.is_cut for target in targets)
    return features, _report(report, features, len(too_long), windows, left_out, targets_cut)


def window_targets(windows: Sequence[str], reference: str) -> list[str]:
    """The part of a reference that belongs to each window: its sentences in their order, with the line breaks between them.

    A sentence of which no window holds a word goes with the one before it.

    Args:
        windows: their texts.
        reference: the whole, with speakers as in the windows.
    """
    targets = [""] * len(windows)
    best, end = 0, 0
    for start, stop in sentence_spans(reference):
        recalls = [recall(reference[start:stop], text) for text in windows]
        if max(recalls) > 0:
            best = recalls.index(max(recalls))
        between = "\n" if "\n" in reference[end:start] else " "
        targets[best] += (between if targets[best] else "") + reference[start:stop]
        end = stop
    return targets


def _report(
    report: EncodingReport, features: Features, dialogues: int, windows: int, left_out: int, targets_cut: int
) -> EncodingReport:
    sources = [len(one["input_ids"]) for one in features]
    targets = [len(one["labels"]) for one in features]
    return replace(
        report,
        cut=0,
        turns_cut=0,
        tokens_cut=0,
        targets_cut=targets_cut,
        source_median=statistics.median(sources),
        source_max=max(sources),
        target_median=statistics.median(targets),
        target_max=max(targets),
        in_windows=dialogues,
        windows=windows,
        windows_left_out=left_out,
    )
