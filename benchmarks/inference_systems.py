"""Ways to summarise the same sources with the same model, each in a process of its own; `benchmarks.inference` starts and compares them.

In: a folder with ``model``, ``ct2-int8``, ``settings.json`` and ``sources.json`` (token ids), and the name of a system. Out: one JSON
line when ready, then one for each line on standard input: ``batch`` summarises all sources, ``alone`` one after the other.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from diasum.config import GenerateSettings
from diasum.engines.exported import ExportRecord, Weights

SYSTEMS = {
    "notebook": "the classic notebook: transformers' generate, one at a time, fp32",
    "batched": "transformers' generate in batches of 16, sorted by length, fp32",
    "ct2-guide": "CTranslate2 as its guide shows: int8, batches of 16 as they come",
    "torch-fast": "diasum, torch-fast, fp32 (what `auto` takes)",
    "torch-fast-bf16": "diasum, torch-fast, bf16",
    "ct2": "diasum, ct2, int8 (what `auto` takes of an exported run)",
    "adapters": "diasum, torch-fast, fp32, four adapters on one base in one batch",
    "adapters-in-turn": "the same four adapters, one after the other",
}
ADAPTERS = 4
ONE_AT_A_TIME = ("notebook",)
ONLY_TOGETHER = (
    "batched",
    "adapters",
    "adapters-in-turn",
)  # one dialogue by itself would show what another system shows
LIBRARIES = dict.fromkeys(("ct2-guide", "ct2"), ("ctranslate2",))  # others: transformers and torch
BATCH = 16
Sources = Sequence[Sequence[int]]
Summarise = Callable[[Sources], list[int]]  # to the number of new tokens of each


class Counting:
    """A tokenizer that keeps how many tokens it decoded: texts of random tokens cannot be counted afterwards.

    Args:
        tokenizer: which does the work.
        first: what stands before a summary's own tokens.
    """

    def __init__(self, tokenizer: Any, first: int) -> None:
        self._tokenizer, self._first = tokenizer, first
        self.lengths: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def __len__(self) -> int:
        return len(self._tokenizer)

    def decode(self, ids: Sequence[int], **options: Any) -> str:
        """As the tokenizer does."""
        self.lengths.append(_length(list(ids)[self._first :], self._tokenizer.eos_token_id))
        return str(self._tokenizer.decode(ids, **options))


def main() -> None:
    folder, system = Path(sys.argv[1]), sys.argv[2]
    settings = GenerateSettings(**json.loads((folder / "settings.json").read_text(encoding="utf-8")))
    sources: list[list[int]] = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
    for library in LIBRARIES.get(system, ("transformers", "torch")):
        importlib.import_module(library)
    libraries = held_bytes("VmRSS")
    summarise = make(folder, system, settings)
    summarise(sources[:1])  # what is prepared at the first call
    _tell({"ready": system, "library_bytes": libraries})
    alone = [[source] for source in sources]
    for line in sys.stdin:
        if line.strip() == "batch":
            timed = time_each(summarise, alone if system in ONE_AT_A_TIME else [sources])
            _tell(timed | {"peak_bytes": held_bytes("VmHWM")} | limits())
        else:
            _tell(time_each(summarise, alone))


def time_each(summarise: Summarise, parts: Sequence[Sources]) -> dict[str, Any]:
    """Summarise parts of the sources, one after the other: seconds of each and of all, and the lengths of all summaries."""
    seconds, lengths, processor = [], [], time.process_time()
    for part in parts:
        begin = time.perf_counter()
        lengths += summarise(part)
        seconds.append(time.perf_counter() - begin)
    return {
        "seconds": sum(seconds),
        "seconds_each": seconds,
        "processor_seconds": time.process_time() - processor,
        "lengths": lengths,
    }


def held_bytes(what: str) -> int:
    """Memory that this program holds (``VmRSS``) or held at most (``VmHWM``); `getrusage` counts its parent's, too."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith(what))


def limits() -> dict[str, float]:
    """FLOP a second of matrix products in fp32, and in bf16 where the processor has it, and bytes a second that are read, measured now."""
    import torch

    from diasum.model.hardware import bf16_support

    found = {}
    types = {"fp32_flops": torch.float32} | ({"bf16_flops": torch.bfloat16} if bf16_support("cpu") else {})
    for name, dtype in types.items():
        a, b = torch.ones(1024, 1024, dtype=dtype), torch.ones(1024, 1024, dtype=dtype)
        found[name] = 2 * 1024**3 / _least(lambda a=a, b=b: a @ b)  # type: ignore[misc]
    big = torch.ones(1 << 25)
    found["bytes_per_second"] = big.numel() * 4 / _least(big.sum)
    return found


def _least(work: Callable[[], Any], times: int = 4) -> float:
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def make(folder: Path, system: str, settings: GenerateSettings) -> Summarise:
    """What a system summarises with."""
    if system in ("notebook", "batched"):
        return _transformers(folder, settings, 1 if system == "notebook" else BATCH)
    if system == "ct2-guide":
        return _guide(folder, settings)
    if system.startswith("adapters"):
        return _adapters(folder, settings, in_turn=system == "adapters-in-turn")
    return _engine(folder, system, settings)


def _transformers(folder: Path, settings: GenerateSettings, rows: int) -> Summarise:
    import torch
    from transformers import AutoModelForSeq2SeqLM

    from diasum.data.batching import padded_sources

    model = AutoModelForSeq2SeqLM.from_pretrained(folder / "model", dtype=torch.float32).eval()
    pad = model.config.pad_token_id

    def summarise(sources: Sources) -> list[int]:
        order = sorted(range(len(sources)), key=lambda i: -len(sources[i])) if rows > 1 else list(range(len(sources)))
        lengths = [0] * len(sources)
        for begin in range(0, len(order), rows):
            some = order[begin : begin + rows]
            ids, mask = padded_sources([sources[i] for i in some], pad)
            with torch.inference_mode():
                made = model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    num_beams=settings.num_beams,
                    min_new_tokens=settings.min_new_tokens,
                    max_new_tokens=settings.max_new_tokens,
                )
            for i, row in zip(some, made[:, 1:].tolist(), strict=True):
                lengths[i] = _length(row, model.config.eos_token_id)
        return lengths

    return summarise


def _guide(folder: Path, settings: GenerateSettings) -> Summarise:
    import ctranslate2

    # Its own default takes four threads, whatever the machine has.
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    translator = ctranslate2.Translator(str(folder / "ct2-int8"), device="cpu", intra_threads=threads)
    names = json.loads((folder / "ct2-int8" / "shared_vocabulary.json").read_text(encoding="utf-8"))

    def summarise(sources: Sources) -> list[int]:
        lengths = []
        for begin in range(0, len(sources), BATCH):
            tokens = [[names[i] for i in source] for source in sources[begin : begin + BATCH]]
            made = translator.translate_batch(
                tokens,
                beam_size=settings.num_beams,
                min_decoding_length=max(1, settings.min_new_tokens),  # 1 is its own default
                max_decoding_length=settings.max_new_tokens,
            )
            lengths += [len(one.hypotheses[0]) for one in made]
        return lengths

    return summarise


def _engine(folder: Path, system: str, settings: GenerateSettings) -> Summarise:
    from diasum.engines.ct2 import Ct2Engine
    from diasum.model.light import read_light

    light = read_light(system, folder / "model", weights=False)  # as a run with an export is read, without transformers
    assert light is not None
    tokenizer = Counting(light.tokenizer, 0 if system == "ct2" else 1)
    if system == "ct2":
        record = ExportRecord(folder / "ct2-int8", "ct2", Weights("", None), "int8", {})
        engine: Any = Ct2Engine(record, light, tokenizer)
    else:
        from diasum.summarization.loading import load_trained

        dtype = "bf16" if system.endswith("bf16") else "fp32"
        settings = settings.model_copy(update={"engine": system.removesuffix("-bf16"), "dtype": dtype})
        engine = load_trained(folder / "model", device="cpu", dtype=dtype).engine(settings).engine
        engine.tokenizer = tokenizer

    def summarise(sources: Sources) -> list[int]:
        tokenizer.lengths = []
        engine.generate(sources, settings)
        return tokenizer.lengths

    return summarise


def _adapters(folder: Path, settings: GenerateSettings, *, in_turn: bool) -> Summarise:
    """Fresh adapters, of rank 8 on queries and values, which cost what trained ones cost; sources get them in turn."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    from diasum.engines.fast.engine import FastEngine

    names = [f"adapter{i}" for i in range(ADAPTERS)]
    lora = LoraConfig(task_type="SEQ_2_SEQ_LM", r=8)
    model = get_peft_model(AutoModelForSeq2SeqLM.from_pretrained(folder / "model").eval(), lora, names[0])
    for name in names[1:]:
        model.add_adapter(name, lora)
    tokenizer = Counting(AutoTokenizer.from_pretrained(folder / "model"), 1)
    engine = FastEngine(model.eval(), tokenizer, adapters=names)

    def summarise(sources: Sources) -> list[int]:
        tokenizer.lengths = []
        if in_turn:
            for i, name in enumerate(names):
                engine.of(name).generate(sources[i::ADAPTERS], settings)
        else:
            engine.generate(sources, settings, adapters=[names[i % ADAPTERS] for i in range(len(sources))])
        return tokenizer.lengths

    return summarise


def _length(row: Sequence[int], end: int) -> int:
    return row.index(end) + 1 if end in row else len(row)


def _tell(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
