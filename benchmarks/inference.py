"""How fast summaries are here: the classic notebook, batches, CTranslate2 as its guide shows, and diasum's engines, on the same sources.

    python -m benchmarks.inference [--shapes flan-t5-base ...] [--systems notebook ct2 ...] [--sources 16] [--rounds 3] [--run RUN]
        [--growth torch-fast ...]

Bases have the shapes of public models and random weights, with ends of texts that give summaries the mean length of DialogSum's
(`benchmarks.inference_models`), between the shortest and the longest tenth of these; ``mini`` is the bundled base, with the adapter of
``--run``, merged. Sources are DialogSum's test split from ``$DIASUM_DATA/dialogsum`` (without it the bundled sample's), `--sources` of
them evenly over the lengths, shuffled with a seed.
Each system has a process of its own, so that its peak memory is true (and what its libraries take before a model is loaded is known);
rounds are interleaved (A B C A B C), and ratios are formed within a round. The limit is 2 FLOP a weight and token (each beam's tokens
count) at the speed of matrix products in fp32 that the same process reaches after each round; the bandwidth of memory is measured beside
it. After the rounds, the systems of which that would show something new summarise each dialogue by itself.
``mini`` adds the cold start of ``diasum summarize`` and, with ``--run``, what int8 costs in quality and how often company changes a
summary.

Results go to ``benchmarks/results/inference-CLASS.json`` after each shape (others stay); ``python -m benchmarks.tables`` writes the
tables of `docs/inference.md` from them. A run of part of the systems keeps the saved rows of the others, without ratios to them, if they
are of the same commit and machine, and of as many sources.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.inference_models import convert_model, flop_per_token, write_model
from benchmarks.inference_systems import ONE_AT_A_TIME, ONLY_TOGETHER, SYSTEMS
from benchmarks.machine import results_file
from benchmarks.training import ROOT, _ask, _length, _load, _spread, conditions
from diasum.config import DataSettings, GenerateSettings, PromptSettings
from diasum.data import Pair, PairEncoder, load_corpus
from diasum.files import write_json
from diasum.model.hardware import bf16_support
from diasum.versions import versions

SHAPES = ("flan-t5-small", "flan-t5-base", "bart-base", "mini")
SETTINGS = GenerateSettings(num_beams=4, max_new_tokens=100)
COMPANY = 100  # dialogues that are summarised alone and together
GROWTH = {"source_tokens": (64, 128, 256, 512), "num_beams": (1, 2, 4, 8), "sources": (1, 4, 16, 32)}


def main() -> None:
    options = _options()
    file = options.output or results_file("inference")
    saved = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    shapes: dict[str, Any] = saved.get("shapes", {})
    for shape in options.shapes:
        shapes[shape] = measure_shape(shape, shapes.get(shape, {}), options)
        write_json(file, {"settings": SETTINGS.model_dump(mode="json"), "names": SYSTEMS, "shapes": shapes})


def measure_shape(shape: str, saved: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """A shape's row of the results, with what was saved of systems that are not measured now."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="diasum-inference-") as name:
        folder = Path(name)
        data, pairs = chosen_pairs(options.sources)
        about = prepare(folder, shape, options.run, pairs)
        conditions = _conditions(options)
        saved = comparable(saved, about["sources"], conditions)
        row = saved | about | {"data": data, "conditions": conditions}
        measured = measure(folder, options, about)
        row["systems"] = saved.get("systems", {}) | measured
        row["against"] = with_ratios(saved.get("against", {}), measured)
        if options.growth:
            row["growth"] = {system: grow(folder, system) for system in options.growth}
    if shape == "mini":
        row |= cold_start(options.run or "mini")
        if options.run:
            row |= quality(options.run)
    row["conditions"]["load_average_after"] = _load()
    print(f"{shape}: {(time.monotonic() - begin) / 60:.1f} minutes", file=sys.stderr)
    return row


def comparable(saved: dict[str, Any], sources: int, conditions: dict[str, Any]) -> dict[str, Any]:
    """What was saved of a shape, without its systems if code, machine, threads or number of sources were others."""
    same = ("commit", "hardware", "threads")
    if (
        saved
        and saved["sources"] == sources
        and all(saved["conditions"][key] == conditions[key] for key in same)
        and not conditions["commit"].endswith("-dirty")  # which says nothing of what the changes are
    ):
        return saved
    return {key: value for key, value in saved.items() if key not in ("systems", "against")}


def chosen_pairs(count: int) -> tuple[str, list[Pair]]:
    """So many test dialogues, evenly over the lengths, shuffled; and where they are from."""
    there = Path(os.environ.get("DIASUM_DATA", "../shared/data")) / "dialogsum"
    path = str(there) if (there / "dialogsum.test.jsonl").is_file() else "sample"
    pairs = load_corpus(DataSettings(path=path), purpose="evaluate", split="test").split("test")
    pairs = sorted(pairs, key=lambda pair: (_length(pair.dialogue.text), pair.id))
    some = [pairs[int((i + 0.5) * len(pairs) / count)] for i in range(count)]
    random.Random(0).shuffle(some)
    return ("DialogSum test" if path != "sample" else "bundled sample, test"), some


def prepare(folder: Path, shape: str, run: str | None, pairs: list[Pair]) -> dict[str, Any]:
    """Write model, conversion, sources and settings; returns what the model is."""
    from transformers import AutoTokenizer

    from diasum.exporting.merged import read_plain

    settings = SETTINGS
    if shape == "mini":
        about = _write_mini(folder, run)
    else:
        (folder / "corpus").mkdir()
        rows = [json.dumps({"dialogue": p.dialogue.text, "summary": p.references[0]}) for p in pairs]
        (folder / "corpus" / "train.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
        lengths = sorted(_length(reference) + 1 for pair in pairs for reference in pair.references)
        least, most = (lengths[int(share * (len(lengths) - 1))] for share in (0.1, 0.9))
        settings = SETTINGS.model_copy(update={"min_new_tokens": least, "max_new_tokens": most})
        about = write_model(folder, shape, [p.dialogue for p in pairs], statistics.mean(lengths), settings)
        about |= {"reference_length": statistics.mean(lengths), "length_bounds": [least, most]}
    write_json(folder / "settings.json", settings.model_dump(mode="json"))
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    encoded, _ = PairEncoder(tokenizer, PromptSettings()).encode_dialogues([pair.dialogue for pair in pairs])
    sources = [one.input_ids for one in encoded]
    (folder / "sources.json").write_text(json.dumps(sources), encoding="utf-8")
    convert_model(folder, "int8")
    by_source, by_target = flop_per_token(read_plain(folder / "model"))
    tokens = [len(source) for source in sources]
    return about | {
        "sources": len(sources),
        "source_tokens": {"mean": statistics.mean(tokens), "max": max(tokens)},
        "flop_per_source_token": by_source,
        "flop_per_beam_token": by_target,
        "model_bytes": (folder / "model" / "model.safetensors").stat().st_size,
        "int8_bytes": (folder / "ct2-int8" / "model.bin").stat().st_size,
    }


def _write_mini(folder: Path, run: str | None) -> dict[str, Any]:
    """The bundled base, with a run's adapter merged where one is given."""
    from diasum.exporting.merged import write_model as write
    from diasum.summarization.loading import load_trained

    trained = load_trained(run or "mini", device="cpu", dtype="fp32")
    if trained.has_adapter:
        trained.model, trained.has_adapter = trained.model.merge_and_unload(safe_merge=True), False
    (folder / "model").mkdir()
    write(trained, folder / "model")
    name = Path(run).resolve().name if run else None
    return {"shape": "mini", "parameters": trained.model.num_parameters(), "adapter": name}


def measure(folder: Path, options: argparse.Namespace, about: dict[str, Any]) -> dict[str, Any]:
    """All systems in interleaved rounds, then one dialogue at a time."""
    workers = {name: _start(folder, name) for name in options.systems}
    libraries = {name: _ask(worker, None)["library_bytes"] for name, worker in workers.items()}
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
    for number in range(options.rounds):
        for name, worker in workers.items():
            answer = _ask(worker, "batch")
            rounds[name].append(answer)
            print(
                f"{about['shape']} round {number} {name}: {about['sources'] / answer['seconds']:.2f}/s", file=sys.stderr
            )
    alone: dict[str, list[float]] = {}
    for name, worker in workers.items():
        if name in ONE_AT_A_TIME:
            alone[name] = sorted(seconds for one in rounds[name] for seconds in one["seconds_each"])
        elif name not in ONLY_TOGETHER:
            alone[name] = sorted(_ask(worker, "alone")["seconds_each"])
        worker.communicate("")
    measured = {name: _summary(rounds[name], alone.get(name), libraries[name], about) for name in workers}
    for one in measured.values():
        one["model_bytes_against_notebook"] = (
            one["model_bytes"] / measured["notebook"]["model_bytes"] if "notebook" in measured else None
        )
    return measured


def _summary(
    rounds: list[dict[str, Any]], alone: list[float] | None, library_bytes: int, about: dict[str, Any]
) -> dict[str, Any]:
    """Medians over rounds, each with least and most."""
    n, read = about["sources"], about["sources"] * about["source_tokens"]["mean"]
    written = [sum(one["lengths"]) for one in rounds]
    needed = [
        about["flop_per_source_token"] * read + about["flop_per_beam_token"] * SETTINGS.num_beams * tokens
        for tokens in written
    ]
    shares = [flop / one["seconds"] / one["fp32_flops"] for flop, one in zip(needed, rounds, strict=True)]
    return {
        "summaries_per_second": _spread([n / one["seconds"] for one in rounds]),
        "tokens_per_second": _spread([t / one["seconds"] for t, one in zip(written, rounds, strict=True)]),
        "mean_length": statistics.mean(written) / n,
        "share_of_limit": _spread(shares),
        "peak_bytes": (peak := rounds[0]["peak_bytes"]),  # before torch is loaded where only the limits need it
        "model_bytes": peak - library_bytes,  # what it takes beyond its libraries
        "alone_seconds": alone
        and {"p50": statistics.median(alone), "p95": alone[min(len(alone) - 1, int(0.95 * len(alone)))]},
        "rounds": rounds,
    }


def with_ratios(saved: dict[str, Any], systems: dict[str, Any]) -> dict[str, Any]:
    """How many times as many summaries a second each system makes as each other, round by round.

    Args:
        saved: those of earlier runs, of which stays what is between systems that were not measured now.
        systems: measured in the same rounds.
    """
    kept = {
        name: {other: ratio for other, ratio in ratios.items() if other not in systems}
        for name, ratios in saved.items()
        if name not in systems
    }
    return kept | {
        name: {
            other: _spread([b["seconds"] / a["seconds"] for a, b in zip(one["rounds"], two["rounds"], strict=True)])
            for other, two in systems.items()
            if other != name
        }
        for name, one in systems.items()
    }


def grow(folder: Path, system: str) -> dict[str, list[dict[str, float]]]:
    """How cost grows with the length of a source, with beams, and with the number of sources: seconds for each."""
    from benchmarks.inference_systems import make

    sources = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
    longest = max(sources, key=len)
    points: dict[str, list[dict[str, float]]] = {}
    for name, values in GROWTH.items():
        points[name] = []
        for value in values:
            beams = value if name == "num_beams" else SETTINGS.num_beams
            # Of one length, so that it is no part of what grows.
            settings = SETTINGS.model_copy(update={"num_beams": beams, "min_new_tokens": 32, "max_new_tokens": 32})
            size = value if name == "source_tokens" else 192
            count = value if name == "sources" else 8
            some = [(longest * (size // len(longest) + 1))[:size]] * count
            summarise = make(folder, system, settings)
            summarise(some[:1])
            begin = time.perf_counter()
            summarise(some)
            points[name].append({"x": value, "seconds": time.perf_counter() - begin})
    return points


def cold_start(run: str, rounds: int = 5) -> dict[str, list[float]]:
    """How long `diasum summarize` takes from nothing to the summary of two turns, and of that the import of torch, in alternation.

    A round that does not count comes first: Python then has compiled all modules, as installed ones are, and the files are in memory.

    Returns:
        Wall and processor time in seconds, a value a round.
    """
    programs = {"cold_start": ["-m", "diasum", "summarize", "--run", run], "import_torch": ["-c", "import torch"]}
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    seconds: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        for name, arguments in programs.items():
            begin, before = time.perf_counter(), _processor_time_of_children()
            subprocess.run(
                [sys.executable, *arguments],
                input="Ana: Lunch at one?\nBen: Half past.\n",
                text=True,
                check=True,
                capture_output=True,
                env=environment,
            )
            if number:
                wall, busy = time.perf_counter() - begin, _processor_time_of_children() - before
                seconds.setdefault(f"{name}_seconds", []).append(wall)
                seconds.setdefault(f"{name}_processor_seconds", []).append(busy)
    return seconds


def _processor_time_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def quality(run: str) -> dict[str, Any]:
    """What int8 costs a run, and of how many dialogues company changes the summary.

    Returns:
        int8: on the run's validation dialogues, whatever it is: the parity that an export measures.
        company: share of test dialogues whose summary is the same alone as among all, by engine and number type.
    """
    import diasum

    settings: dict[str, Any] = {"generate.no_repeat_ngram_size": 0, "generate.closing": None}
    with tempfile.TemporaryDirectory(prefix="diasum-parity-") as folder:
        accepted = settings | {"export.max_rouge_loss": 100}
        export = diasum.export(run, "ct2", out=Path(folder) / "ct2", settings=accepted)
        data, pairs = chosen_pairs(COMPANY)
        found: dict[str, Any] = {"data": data, "n": len(pairs), "same": {}}
        fast = ["fp32", "bf16"] if bf16_support("cpu") else ["fp32"]
        engines: dict[str, tuple[str | Path, str, str]] = {
            f"torch-fast, {dtype}": (run, "torch-fast", dtype) for dtype in fast
        }
        engines["ct2, int8"] = (export.folder, "ct2", "auto")
        for name, (source, engine, dtype) in engines.items():
            own = settings | {"generate.engine": engine, "generate.dtype": dtype}
            summarizer = diasum.load(source, settings=own)
            together = summarizer.summarize_all([pair.dialogue for pair in pairs])
            alone = [summarizer.summarize(pair.dialogue) for pair in pairs]
            found["same"][name] = statistics.mean(one.text == text for one, text in zip(together, alone, strict=True))
    return {"int8": dict(export.record["parity"]), "company": found}


def _conditions(options: argparse.Namespace) -> dict[str, Any]:
    options.pairs, options.clock, options.warmup = options.sources, "wall", 0
    found = conditions(options)
    return {key: found[key] for key in ("hardware", "threads", "load_average_before", "commit", "rounds")} | {
        "versions": versions(("torch", "transformers", "ctranslate2")),
    }


def _start(folder: Path, system: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.inference_systems", str(folder), system]
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, **quiet},
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=[*SHAPES, "tiny"], default=list(SHAPES))
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, help="all, but bf16 only where the processor has it")
    parser.add_argument("--sources", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", help="a run of `mini`, whose adapter is merged into it")
    parser.add_argument("--growth", nargs="*", choices=SYSTEMS, default=[], help="systems to measure growth of")
    parser.add_argument("--output", type=Path, help="where the JSON goes, if not to benchmarks/results")
    options = parser.parse_args()
    options.systems = options.systems or [name for name in SYSTEMS if not name.endswith("bf16") or bf16_support("cpu")]
    return options


if __name__ == "__main__":
    main()
