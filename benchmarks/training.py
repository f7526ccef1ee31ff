"""How fast LoRA training is here: the classic notebook, Seq2SeqTrainer as it comes and tuned by hand, and diasum, on the same pairs.

    python -m benchmarks.training [--shapes flan-t5-base bart-base] [--pairs 16] [--rounds 3] [--output FILE]

Bases have the shapes of public models and random weights (speed does not depend on them). Pairs are DialogSum's dev split from
``$DIASUM_DATA/dialogsum``, without it the bundled sample; of them `--pairs` are taken evenly over the lengths. Each recipe trains in a
process of its own, so that its peak memory is true; rounds are interleaved (A B C D A B C D ...), so that what else the machine does
meets all alike, and ratios are formed within a round. The limit is 4 FLOP a parameter and token (forward, and the gradient of
activations; a frozen base needs none of its weights) at the matrix-product speed measured in the same process after each round.

Results go to ``benchmarks/results/training-CLASS.json`` and a plot of how cost grows beside it; ``python -m benchmarks.tables`` writes the
tables of `docs/speed.md` from them. With a GPU the same command runs there, on larger shapes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.machine import results_file
from benchmarks.recipes import RECIPES
from diasum.files import write_json
from diasum.versions import versions

ROOT = Path(__file__).parent.parent
# A token a word of up to seven letters, two for longer ones and so on, one a digit and one a punctuation mark.
PIECES = r"[A-Za-z]{1,7}|[^\sA-Za-z]"
PACKAGES = ("torch", "transformers", "peft", "accelerate")
T5 = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "vocab_size": 32128, "decoder_start_token_id": 0}
SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {**T5, "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2, "vocab_size": 16384},
    "flan-t5-small": {**T5, "d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8, "num_heads": 6},
    "flan-t5-base": {**T5, "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12},
    "flan-t5-large": {**T5, "d_model": 1024, "d_kv": 64, "d_ff": 2816, "num_layers": 24, "num_heads": 16},
    "bart-base": {"d_model": 768, "encoder_layers": 6, "decoder_layers": 6, "encoder_ffn_dim": 3072, "decoder_ffn_dim": 3072,
                  "encoder_attention_heads": 12, "decoder_attention_heads": 12},
}  # fmt: skip
GROWTH = {
    "source_tokens": [64, 128, 256, 512],
    "batch": [1, 2, 4, 8],
    "pairs": [4, 8, 16],
}


def main() -> None:
    options = _options()
    result: dict[str, Any] = {"conditions": conditions(options), "recipes": RECIPES, "shapes": {}}
    output = options.output or results_file("training", result["conditions"]["device"])
    for shape in options.shapes:
        with tempfile.TemporaryDirectory(prefix="diasum-benchmark-") as folder:
            result["data"] = write_corpus(Path(folder) / "corpus", options.pairs)
            print(f"{shape}: pairs of {result['data']['name']}", file=sys.stderr)
            base = write_base(Path(folder), shape)
            result["shapes"][shape] = measure(Path(folder), options, base)
            if shape == options.growth:
                print(f"{shape}: how cost grows", file=sys.stderr)
                result["growth"] = {"shape": shape, **_ask(_start(folder, "growth", json.dumps(options.points)), None)}
            result["conditions"]["load_average_after"] = _load()
            write_json(output, result)
    if "growth" in result:
        draw(result["growth"], output.with_name("training-growth.svg"))
    print(json.dumps(result["shapes"], indent=1))


def measure(folder: Path, options: argparse.Namespace, base: dict[str, Any]) -> dict[str, Any]:
    """All recipes on one base, in interleaved rounds."""
    workers = {name: _start(folder, name, str(options.rounds + options.warmup)) for name in RECIPES}
    ready = {name: _ask(worker, None) for name, worker in workers.items()}
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in RECIPES}
    for number in range(options.rounds + options.warmup):
        for name, worker in workers.items():
            answer = _ask(worker, "round")
            print(
                f"{folder.name} round {number} {name}: {answer['pairs'] / answer['seconds']:.2f} pairs/s",
                file=sys.stderr,
            )
            if number >= options.warmup:
                rounds[name].append(answer)
    for worker in workers.values():
        worker.communicate("end\n")
    recipes = {name: _summary(rounds[name], base) | ready[name] for name in RECIPES}
    return {
        **base,
        "recipes": recipes,
        "diasum_against": {name: _ratios(rounds, name) for name in RECIPES if name != "diasum"},
    }


def commit() -> str:
    """Of which commit figures are, and whether anything but figures was changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results")
    return git("describe", "--always") + ("-dirty" if changed else "")


def conditions(options: argparse.Namespace) -> dict[str, Any]:
    """What the figures depend on."""
    from diasum.model import choose_hardware, describe_machine

    hardware = choose_hardware()
    return {
        "device": hardware.device,
        "tuned_dtype": hardware.reasons["dtype"],
        "hardware": describe_machine(),
        "threads": int(os.environ.get("OMP_NUM_THREADS", 0)) or describe_machine()["threads"],
        "load_average_before": _load(),
        "versions": versions(PACKAGES),
        "commit": commit(),
        "pairs": options.pairs,
        "rounds": options.rounds,
        "clock": options.clock,
        "warmup_rounds": options.warmup,
        "adapter": "LoRA r=8 on the attention's query and value",
    }


def write_corpus(folder: Path, count: int) -> dict[str, Any]:
    """So many pairs, evenly over the lengths, as a corpus; and what it is."""
    file = Path(os.environ.get("DIASUM_DATA", "../shared/data")) / "dialogsum" / "dialogsum.dev.jsonl"
    name = "DialogSum dev" if file.is_file() else "bundled sample, train"
    if file.is_file():
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        pairs = [(row["dialogue"], row["summary"]) for row in rows]
    else:
        from diasum.config import DataSettings
        from diasum.data import load_corpus

        pairs = [(p.dialogue.text, p.references[0]) for p in load_corpus(DataSettings(path="sample")).split("train")]
    pairs.sort(key=lambda pair: (_length(pair[0]), pair))
    chosen = [pairs[int((i + 0.5) * len(pairs) / count)] for i in range(count)]
    folder.mkdir(parents=True)
    for split, some in (("train", chosen), ("validation", pairs[:1])):
        lines = [json.dumps({"id": f"{split}{i}", "dialogue": d, "summary": s}) for i, (d, s) in enumerate(some)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "name": name,
        "pairs_there": len(pairs),
        "tokenizer": "stand-in: a token for each seven letters of a word, each digit and each punctuation mark",
        "all_dialogues": _statistics([_length(dialogue) for dialogue, _ in pairs]),
        "chosen_dialogues": _statistics([_length(dialogue) for dialogue, _ in chosen]),
        "chosen_summaries": _statistics([_length(summary) for _, summary in chosen]),
    }


def write_base(folder: Path, shape: str) -> dict[str, Any]:
    """A base of that shape with random weights, and its tokenizer; and the FLOP that a mean pair needs at least."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, BartConfig, T5Config

    torch.manual_seed(0)
    config = (BartConfig if shape.startswith("bart") else T5Config)(**SHAPES[shape])
    tokenizer = write_tokenizer(folder, config.model_type)
    model = AutoModelForSeq2SeqLM.from_config(config)
    model.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")

    from diasum.config import DataSettings, PromptSettings
    from diasum.data import PairEncoder, load_corpus

    again = AutoTokenizer.from_pretrained(folder / "base")
    corpus = load_corpus(DataSettings(path=str(folder / "corpus")))
    features, _ = PairEncoder(again, PromptSettings()).encode(corpus.split("train"))
    source = statistics.mean(len(feature["input_ids"]) for feature in features)
    target = statistics.mean(len(feature["labels"]) for feature in features)
    by_source = by_target = 0
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            reads_source = ".encoder." in f".{name}" or re.search(
                r"(EncDecAttention\.[kv]|encoder_attn\.[kv]_proj)$", name
            )
            by_source, by_target = (
                (by_source + module.weight.numel(), by_target)
                if reads_source
                else (by_source, by_target + module.weight.numel())
            )
    return {
        "parameters": model.num_parameters(),
        "source_tokens": _statistics([len(feature["input_ids"]) for feature in features]),
        "target_tokens": _statistics([len(feature["labels"]) for feature in features]),
        "flop_per_pair": 4 * (by_source * source + by_target * target),
    }


def write_tokenizer(folder: Path, model_type: str) -> Any:
    """A tokenizer whose lengths are like those of T5's 32,000 pieces; its vocabulary is the corpus's own."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = {"t5": ["<pad>", "</s>", "<unk>"], "bart": ["<s>", "<pad>", "</s>", "<unk>"]}[model_type]
    text = (folder / "corpus" / "train.jsonl").read_text(encoding="utf-8")
    words = sorted(
        {
            *re.findall(PIECES, text),
            *map(chr, range(33, 127)),
            *re.findall(PIECES, "Summarize the following conversation"),
        }
    )
    vocabulary = {word: i for i, word in enumerate([*special, *words[:12000]])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(PIECES), behavior="isolated")]
    )
    ends = [(token, vocabulary[token]) for token in ("<s>", "</s>") if token in vocabulary]
    single = "$A </s>" if model_type == "t5" else "<s> $A </s>"
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=ends)
    named = {"bos_token": "<s>"} if model_type == "bart" else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=1024,
        **named,
    )


def draw(growth: dict[str, Any], file: Path) -> None:
    """Three panels: seconds against source tokens, batch and pairs."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    labels = {
        "source_tokens": "source tokens (2 pairs a step)",
        "batch": "pairs a step (128 tokens each)",
        "pairs": "pairs in an epoch",
    }
    figure, panels = pyplot.subplots(1, 3, figsize=(10, 3), layout="constrained")
    for panel, (name, label) in zip(panels, labels.items(), strict=True):
        panel.plot([p["x"] for p in growth[name]], [p["seconds"] for p in growth[name]], "o-")
        panel.set(xlabel=label, ylabel="seconds", ylim=(0, None), xlim=(0, None))
    figure.suptitle(f"diasum, shape of {growth['shape']}: forward and backward")
    matplotlib.rcParams["svg.hashsalt"] = "diasum"
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _summary(rounds: list[dict[str, Any]], base: dict[str, Any]) -> dict[str, Any]:
    """Medians over rounds, each with least and most."""
    speeds = [one["pairs"] / one["seconds"] for one in rounds]
    tokens = base["source_tokens"]["mean"] + base["target_tokens"]["mean"]
    peak = max(one["matmul_flops"] for one in rounds)
    return {
        "pairs_per_second": _spread(speeds),
        "real_tokens_per_second": _spread([speed * tokens for speed in speeds]),
        "matmul_flops": peak,
        "share_of_peak": _spread([speed * base["flop_per_pair"] / peak for speed in speeds]),
        "peak_memory_bytes": max(one["peak_memory_bytes"] for one in rounds),
        "rounds": rounds,
    }


def _ratios(rounds: dict[str, list[dict[str, Any]]], other: str) -> dict[str, float]:
    """How many times as many pairs a second diasum trains on, round by round."""
    pairs = zip(rounds["diasum"], rounds[other], strict=True)
    return _spread([(a["pairs"] / a["seconds"]) / (b["pairs"] / b["seconds"]) for a, b in pairs])


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def _statistics(values: list[int]) -> dict[str, float]:
    return {"mean": statistics.mean(values), "median": statistics.median(values), "max": max(values)}


def _length(text: str) -> int:
    return len(re.findall(PIECES, text))


def _load() -> list[float]:
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def _start(folder: Path | str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.recipes", str(folder), *arguments]
    environment = {
        **os.environ,
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )


def _ask(worker: subprocess.Popen[str], question: str | None) -> dict[str, Any]:
    """A worker's next line, after asking for it where a question is due."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    line = ""
    with suppress(BrokenPipeError):
        if question is not None:
            worker.stdin.write(question + "\n")
            worker.stdin.flush()
        line = worker.stdout.readline()
    if not line:
        status, task = worker.wait(), " ".join(map(str, worker.args[2:]))  # type: ignore[index]
        raise SystemExit(
            f"{task} ended with {status}" + (": killed, most often for want of memory" if status == -9 else "")
        )
    return dict(json.loads(line))


def _options() -> argparse.Namespace:
    import torch

    cuda = torch.cuda.is_available()
    shapes = ["flan-t5-base", "flan-t5-large"] if cuda else ["flan-t5-small", "flan-t5-base", "bart-base"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=sorted(SHAPES), default=shapes)
    parser.add_argument("--pairs", type=int, default=256 if cuda else 16, help="pairs in a round")
    parser.add_argument("--rounds", type=int, default=5 if cuda else 3)
    parser.add_argument("--warmup", type=int, default=1 if cuda else 0, help="rounds before those that count")
    parser.add_argument(
        "--clock", choices=["wall", "processor"], default="wall", help="processor: on a shared machine, with one thread"
    )
    parser.add_argument(
        "--growth", default=None, help="the shape to measure how cost grows on; the first when not given"
    )
    parser.add_argument("--output", type=Path, help="where the JSON goes, if not to benchmarks/results")
    parser.add_argument("--quick", action="store_true", help="a tiny shape and few pairs: seconds, and no meaning")
    options = parser.parse_args()
    options.points = GROWTH
    if options.quick:
        options.shapes, options.pairs, options.rounds, options.warmup = ["tiny"], 8, 1, 0
        options.points = {"source_tokens": [16, 32], "batch": [1, 2], "pairs": [4, 8]}
    options.growth = options.growth or options.shapes[0]
    if options.clock == "processor" and (cuda or os.environ.get("OMP_NUM_THREADS") != "1"):
        parser.error("--clock processor needs a CPU and OMP_NUM_THREADS=1: threads' times add up")
    os.environ["DIASUM_BENCHMARK_CLOCK"] = options.clock
    return options


if __name__ == "__main__":
    main()
