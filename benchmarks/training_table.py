"""The tables of training's speed and memory, from what `benchmarks.training`, `memory`, `step` and `kernels` saved."""

from __future__ import annotations

from typing import Any

from benchmarks.machine import CLASSES
from diasum.wording import counted


def speed_table(results: dict[str, Any]) -> str:
    """Markdown: one row per base and recipe, medians over rounds with least and most."""
    lines = [
        "| base (shape, random weights) | recipe | diasum is faster | pairs/s | real tokens/s | share of the limit | peak memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for shape, row in results["shapes"].items():
        for name, recipe in row["recipes"].items():
            ratio = row["diasum_against"].get(name)
            cells = [
                f"{ratio['median']:.1f}x ({ratio['low']:.1f}-{ratio['high']:.1f})" if ratio else "",
                f"{recipe['pairs_per_second']['median']:.2f}",
                f"{recipe['real_tokens_per_second']['median']:,.0f}",
                f"{recipe['share_of_peak']['median']:.0%}",
                f"{recipe['peak_memory_bytes'] / 1e9:.1f} GB",
            ]
            label = f"**{name}**" if name == "diasum" else name
            lines.append(
                f"| {shape} | {label}, {recipe['dtype']}, {recipe['batching'].split(',')[0]} | "
                + " | ".join(cells)
                + " |"
            )
    conditions, data, hardware = results["conditions"], results["data"], results["conditions"]["hardware"]
    versions = ", ".join(f"{name} {version}" for name, version in conditions["versions"].items())
    lengths = next(iter(results["shapes"].values()))
    device = (
        hardware["gpu"]
        if conditions["device"] == "cuda"
        else f"{hardware['processor']}, {counted(conditions['threads'], 'thread')}"
    )
    notes = [f"{name}: {text.split(': ', 1)[-1]}." for name, text in results["recipes"].items() if name != "diasum"]
    notes.append(
        f"{device}; load average {conditions['load_average_before'][0]:g} before and {conditions['load_average_after'][0]:g} after; "
        f"{versions}; commit {conditions['commit']}. {conditions['pairs']} pairs of {data['name']}, evenly over its lengths "
        f"(sources {lengths['source_tokens']['mean']:.0f} tokens on average, {lengths['source_tokens']['max']:.0f} at most, targets "
        f"{lengths['target_tokens']['mean']:.0f} and {lengths['target_tokens']['max']:.0f}; {data['tokenizer']}); {conditions['adapter']}; "
        f"{counted(conditions['rounds'], 'interleaved round')} in {conditions['clock']} time, medians (least-most), ratios within a round. "
        "The limit: 4 FLOP per parameter and token at the matrix-product speed of the same process."
    )
    return "\n".join([*lines, "", *notes])


def speed_summary(results: dict[str, dict[str, Any]]) -> str:
    """Markdown for the README: one row per class of processor and base, how many times as fast as each recipe.

    Args:
        results: `benchmarks.training`'s, by class of processor.
    """
    lines = [
        "| processor | base (shape) | classic notebook | trainer's defaults | tuned by hand | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        for shape in ("flan-t5-base", "bart-base"):
            row = result["shapes"][shape]
            ratios = [row["diasum_against"][recipe] for recipe in ("classic", "defaults", "tuned")]
            cells = [f"{ratio['median']:.1f}x" for ratio in ratios]
            memory = [row["recipes"][recipe]["peak_memory_bytes"] / 1e9 for recipe in ("diasum", "classic")]
            cells.append(f"{memory[0]:.1f} GB instead of {memory[1]:.1f}")
            lines.append(f"| {CLASSES[name]} | {shape} | {' | '.join(cells)} |")
    return "\n".join(lines)


def memory_table(results: dict[str, Any]) -> str:
    """Markdown: peak of the process's memory, the time, and what the estimates had said, one row per base and set-up."""
    lines = [
        "| base | settings | peak memory | estimated before | time | estimated before |",
        "|---|---|---|---|---|---|",
    ]
    notes = []
    for base, entry in results["bases"].items():
        for name, row in entry["rows"].items():
            cells = []
            for taken, estimate, unit, show in (
                ("peak_bytes", "memory_bytes", 1e6, "{:,.0f} MB"),
                ("seconds", "seconds", 1, "{:.0f} s"),
            ):
                guessed = row["estimate"][estimate]
                cells += [
                    show.format(row[taken] / unit),
                    f"{show.format(guessed / unit)} ({guessed / row[taken] - 1:+.0%})",
                ]
            lines.append(f"| {base} | {name} | {' | '.join(cells)} |")
        shape = "" if base == "mini" else "'s shape, random weights"
        total = entry["parameters"]["total"] / 1e6
        notes.append(f"`{base}`{shape} ({total:.1f} million parameters, fp32): {entry['pairs']} pairs, one epoch.")
    notes.append(
        f"The whole process, libraries included; {results['hardware']['processor']}, {counted(results['hardware']['threads'], 'thread')}."
    )
    return "\n".join([*lines, "", " ".join(notes)])


def step_table(results: dict[str, Any]) -> str:
    """Markdown: the share of each kind of work in a training step."""
    lines = ["| work | share of a step |", "|---|---|"]
    lines += [
        f"| {name} | {share:.0%} |" for name, share in sorted(results["shares"].items(), key=lambda item: -item[1])
    ]
    conditions = results["conditions"]
    note = (
        f"Shape of {results['shape']}, {conditions['device']}, {counted(conditions['threads'], 'thread')}, a batch of "
        f"{results['batch_pairs']} pairs ({results['source_tokens']:,} source and {results['target_tokens']:,} target tokens), median of "
        f"{len(results['rounds'])} profiled steps; commit {conditions['commit']}."
    )
    return "\n".join([*lines, "", note])


def kernels_table(results: dict[str, Any]) -> str:
    """Markdown: how many times as fast as torch each piece is with compiled kernels, one column per number type."""
    kinds = results["types"]
    lines = [f"| piece, forward and backward | {' | '.join(f'{kind}: torch, compiled' for kind in kinds)} |"]
    lines.append("|---|" + "---|" * len(kinds))
    for name in next(iter(kinds.values()))["pieces"]:
        cells = []
        for kind in kinds.values():
            row = kind["pieces"][name]
            low, high = row["quartiles"]
            cells.append(
                f"{row['torch_ms']:.1f} ms, {row['compiled_ms']:.1f} ms: {row['ratio']:.1f}x ({low:.1f}-{high:.1f})"
            )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    conditions = results["conditions"]
    products = ", ".join(f"{kind['product_ms']:.0f} ms in {name}" for name, kind in kinds.items())
    kept = [name for name, kind in kinds.items() if not kind["attention_compiled_by_default"]]
    note = (
        f"{conditions['hardware']['processor']}, {counted(conditions['threads'], 'thread')}, {results['source_tokens']:,} source and "
        f"{results['target_tokens']:,} target tokens of 8 pairs at {results['shape']}'s shape; medians of {conditions['rounds']} runs in "
        f"turn (ratios: with quartiles). For scale, torch's product of one q, k and v projection, forward and backward: {products}; commit "
        f"{conditions['commit']}."
    )
    units = ", ".join(f"{name} by {kind['attention_by']}" for name, kind in kinds.items())
    note += f" Attention's products: {units}."
    if kept:
        note += f" Here the fast path leaves attention in {' and '.join(kept)} to torch."
    return "\n".join([*lines, "", note])
