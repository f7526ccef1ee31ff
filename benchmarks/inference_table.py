"""Markdown from the results of `benchmarks.inference`."""

from __future__ import annotations

import statistics
from typing import Any

from diasum.wording import counted

AGAINST = ("notebook", "batched", "ct2-guide")


def inference_table(results: dict[str, Any]) -> str:
    """One row a shape and system, medians over rounds with least and most, and what they were measured on."""
    lines = [
        "| shape | system | summaries/s | tokens/s | times the notebook | times batches | times CTranslate2's guide | share of the limit | "
        "peak memory | of that without libraries, against the notebook | one dialogue, p50 and p95 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    notes = []
    for shape, row in results["shapes"].items():
        for name, one in row["systems"].items():
            ratios = [row["against"][name].get(other) for other in AGAINST]
            share, alone = one["model_bytes_against_notebook"], one["alone_seconds"]
            cells = [
                f"{one['summaries_per_second']['median']:.2f}",
                f"{one['tokens_per_second']['median']:.0f}",
                *(f"{r['median']:.1f}x ({r['low']:.1f}-{r['high']:.1f})" if r else "" for r in ratios),
                f"{one['share_of_limit']['median']:.0%}",
                f"{one['peak_bytes'] / 1e9:.2f} GB",
                f"{one['model_bytes'] / 1e9:.2f} GB" + (f", {share:.0%}" if share else ""),
                f"{alone['p50']:.2f} s, {alone['p95']:.2f} s" if alone else "",
            ]
            lines.append(f"| {shape} | {results['names'][name]} | {' | '.join(cells)} |")
        notes += ["", _conditions(shape, row)]
    return "\n".join(lines + notes)


def _conditions(shape: str, row: dict[str, Any]) -> str:
    about, limits = row["conditions"], next(iter(row["systems"].values()))["rounds"][0]
    adapter = f"with the adapter of `{row['adapter']}`" if row.get("adapter") else "without an adapter"
    model = f"`mini` {adapter}" if shape == "mini" else f"shape of {shape}, random weights"
    lengths = ", ".join(f"{name} {one['mean_length']:.0f}" for name, one in row["systems"].items())
    bf16 = f", in bf16 {limits['bf16_flops'] / 1e9:.0f}" if "bf16_flops" in limits else ""
    text = (
        f"{model} ({row['parameters'] / 1e6:.0f}M parameters): {counted(row['sources'], 'dialogue')} of {row['data']} "
        f"({row['source_tokens']['mean']:.0f} tokens on average, {row['source_tokens']['max']} at most); mean summary: {lengths} tokens. "
        f"{about['hardware']['processor']}, {counted(about['threads'], 'thread')}, load average {about['load_average_before'][0]:g}; "
        f"{counted(about['rounds'], 'interleaved round')}; matrix products in fp32 {limits['fp32_flops'] / 1e9:.0f} GFLOP/s"
        f"{bf16}, memory {limits['bytes_per_second'] / 1e9:.1f} GB/s; "
        f"{', '.join(f'{name} {version}' for name, version in about['versions'].items())}; commit {about['commit']}."
    )
    if cold := row.get("cold_start_seconds"):
        text += f" Cold start of `diasum summarize`: {statistics.median(cold):.1f} s (median of {len(cold)})."
        if torch := row.get("import_torch_seconds"):
            text = text[:-2] + f"; `import torch` in alternation with it: {statistics.median(torch):.1f} s)."
    if parity := row.get("int8"):
        loss, same = parity["rouge_loss"], parity["identical"]
        text += (
            f" int8 against {parity['against']} on {parity['n']} validation dialogues: ROUGE-L lower by {loss['mean']:.2f} (95% interval "
            f"{loss['low']:.2f} to {loss['high']:.2f}; protocol `{parity['protocol']['name']}`, seed {loss['seed']}), "
            f"{same['mean']:.0%} identical."
        )
    if company := row.get("company"):
        told = "; ".join(f"{name}: {share:.0%}" for name, share in company["same"].items())
        text += f" Summaries that are the same alone as in company, of {company['n']} dialogues of {company['data']}: {told}."
    return text


def growth_table(results: dict[str, Any]) -> str:
    """Seconds against source tokens, beams and sources, for each shape and system that they were measured of; empty where of none."""
    lines = []
    for shape, row in results["shapes"].items():
        for system, points in row.get("growth", {}).items():
            for name, values in points.items():
                told = ", ".join(f"{point['x']}: {point['seconds']:.2f}" for point in values)
                lines.append(f"| {shape} | {system} | {name.replace('_', ' ')} | {told} |")
    head = ["| shape | system | what grows | seconds |", "|---|---|---|---|"]
    return "\n".join([*head, *lines]) if lines else ""


def equal_sentence(results: dict[str, Any]) -> str:
    """How many summaries were the same, as a sentence."""
    same, gaps = results["n"] - results["different"], results["gaps"]
    beams = results["settings"]["num_beams"]
    text = (
        f"In fp32, with {beams} beams and the adapter of `{results['model']}`, `torch-fast` writes the tokens of transformers' `generate` "
        f"for {same} of {results['n']} dialogues of {results['data']} ({same / results['n']:.1%})"
    )
    return text + (f"; the two scores of the others differ by at most {max(gaps):.1e}." if gaps else ".")
