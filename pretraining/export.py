"""Write the bundle that the package ships: `python -m pretraining.export --run build/pretraining/NAME`.

In: a run's checkpoint (its averaged weights, or the last ones after a decay) and its probes, or what `gpu` brought back. Out: a
folder with bf16 safetensors, the fast tokenizer, `generation_config.json` and a model card, at most 32 MB; it loads with
`AutoModelForSeq2SeqLM` and `AutoTokenizer`.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pretraining.model import Shape, build_model
from pretraining.tasks import SUMMARY, frame
from pretraining.written import BRIEFLY

LIMIT_BYTES = 32_000_000
# What diasum summarises with where there is no adapter with settings of its own: left alone, the model goes round in circles.
GENERATE = {"num_beams": 4, "max_new_tokens": 100, "no_repeat_ngram_size": 3, "long": "windows"}
HISTORY = Path(__file__).with_name("history.json")  # of the shipped model, from which a run may go on
DESTINATION = Path(__file__).resolve().parents[1] / "src" / "diasum" / "assets" / "mini"


def load_run(
    run: Path, weights: str = "average", others: Sequence[Path] = ()
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, dict[str, Any]]:
    """Model (float32), tokenizer and counters of a run.

    Args:
        run: the run's folder.
        weights: `average` (always of `gpu`) or `model`, the last step's.
        others: earlier checkpoints of the same run, or of another from the same weights, which are averaged with its own, each counting
            alike (model soups, Wortsman et al. 2022): where the last passes fit the training examples ever more closely, this undoes
            some of it.
    """
    if (run / "mini").is_dir():
        brought: Any = AutoModelForSeq2SeqLM.from_pretrained(run / "mini", dtype=torch.float32)
        counters = json.loads((run / "settings.json").read_text(encoding="utf-8"))
        return brought.eval(), AutoTokenizer.from_pretrained(run / "tokenizer"), counters
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True)
    s = state["settings"]
    shape = Shape(
        vocab_size=s["vocab_size"],
        d_model=s["d_model"],
        d_ff=s["d_ff"],
        d_kv=s.get("d_kv", s["d_model"] // s["num_heads"]),
        num_heads=s["num_heads"],
        encoder_layers=s["encoder_layers"],
        decoder_layers=s["decoder_layers"],
    )
    model = build_model(shape, structured=False)
    states = [state, *(torch.load(other, map_location="cpu", weights_only=True) for other in others)]
    model.load_state_dict({name: sum(s[weights][name] for s in states) / len(states) for name in state[weights]})
    counters = state["counters"] | {
        "start": s["start"],
        "start_tokens": s["start_tokens"],
        "averaged": [one["counters"]["tokens"] for one in states],
    }
    return model.eval(), AutoTokenizer.from_pretrained(run / "tokenizer"), counters


def write_bundle(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, card: str) -> int:
    """Write the bundle beside `folder`, then move it into place; returns its size in bytes.

    Raises:
        ValueError: the bundle would be larger than `LIMIT_BYTES`.
    """
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    model = model.to(torch.bfloat16)
    model.config.dialogue_speakers = "numbered"  # what `prompt.speakers: auto` goes by
    model.config.dialogue_prompts = {
        "brief": frame(BRIEFLY, "{dialogue}", SUMMARY)
    }  # what `prompt.length: brief` goes by
    model.generation_config = GenerationConfig(
        max_new_tokens=128,
        num_beams=4,
        no_repeat_ngram_size=4,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    (part / "README.md").write_text(card, encoding="utf-8")
    (part / "diasum.json").write_text(json.dumps({"generate": GENERATE}, indent=1) + "\n", encoding="utf-8")
    size = sum(f.stat().st_size for f in part.rglob("*") if f.is_file())
    if size > LIMIT_BYTES:
        raise ValueError(
            f"the bundle is {size / 1e6:.1f} MB, over the limit of {LIMIT_BYTES / 1e6:.0f} MB: choose a smaller --d-model"
        )
    for file in part.iterdir():
        file.chmod(0o644)  # safetensors are written for their owner only
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return size


def curve(run: Path, start: str, rows: int = 6) -> str:
    """The probes of earlier sittings and of a run as a Markdown table, of the run at most `rows`, evenly spaced."""
    path = run / "probes.jsonl"
    probes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    step = max(1, -(-len(probes) // rows))
    chosen = earlier(start)["probes"] + probes[::-1][::step][::-1]
    if not chosen:
        return "No probe was logged."
    lines = [
        "| tokens seen | summary loss | reading exact | ROUGE-1 held out | gap | names in source | ROUGE-1 DialogSum dev | gap |",
        "|" + "---|" * 8,
    ]
    highest = 0
    for p in chosen:
        again = ", again" if p["tokens"] < highest else ""  # a later run from earlier weights
        highest = max(highest, p["tokens"])
        held, dialogsum = p["held_out"], p.get("dialogsum", {})
        loss = p["loss"].get("summary", p["loss"].get("written", float("nan")))
        lines.append(
            f"| {p['tokens'] / 1e6:.1f}M{again} | {loss:.2f} | {p['exact_reading']:.2f} | "
            f"{held['rouge1']:.1f} | {held['gap']:.1f} | {held.get('precision', 0):.2f} | {dialogsum.get('rouge1', float('nan')):.1f} | "
            f"{dialogsum.get('gap', float('nan')):.1f} |"
        )
    return "\n".join(lines)


def earlier(start: str) -> dict[str, Any]:
    """Tokens, steps, hours and probes of the sittings before, where the run goes on from the shipped model; else nothing."""
    if not start:
        return {"tokens": 0, "steps": 0, "hours": 0.0, "probes": []}
    return dict(json.loads(HISTORY.read_text(encoding="utf-8")))


def tokens_seen(counters: dict[str, Any]) -> int:
    """In all sittings: where a run begins from weights of before the shipped ones, its tokens come on top of theirs."""
    return int(earlier(counters["start"])["tokens"] + counters["tokens"] - counters.get("start_tokens", 0))


def average(tokens: Sequence[int]) -> str:
    """A sentence on checkpoints averaged, by the tokens seen at each; empty for a single one."""
    if len(tokens) < 2:
        return ""
    *first, last = [f"{count / 1e6:.1f}M" for count in sorted(tokens)]
    return f"The weights are the mean of those after {', '.join(first)} and {last} tokens."


def model_card(run: Path, model: PreTrainedModel, counters: dict[str, Any], notes: str = "") -> str:
    """The model card: what it is, data and licences, tokens, curve, known failures, and `notes` (scores, examples)."""
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    config, before = model.config, earlier(counters["start"])
    return CARD.format(
        millions=f"{millions:.1f}",
        encoder=config.num_layers,
        decoder=config.num_decoder_layers,
        d_model=config.d_model,
        d_ff=config.d_ff,
        heads=config.num_heads,
        vocab=config.vocab_size,
        tokens=f"{tokens_seen(counters) / 1e6:.1f}",
        steps=counters["step"] + before["steps"],
        hours=f"{counters['seconds'] / 3600 + before['hours']:.1f}",
        average=average(counters.get("averaged", [])),
        curve=curve(run, counters["start"]),
        notes=notes,
    )


CARD = """---
license: cc-by-sa-4.0
language: en
library_name: transformers
pipeline_tag: summarization
---
# mini

A small T5 pretrained from scratch for summarising dialogues: {millions}M parameters ({encoder} encoder and {decoder}
decoder layers, width {d_model},
feed-forward {d_ff}, {heads} heads, vocabulary {vocab}). It is the base model of diasum's first five minutes, without
network; adapt it with LoRA
to your own conversations. It is far smaller and has seen far less text than FLAN-T5 or BART: use those where you can.

Prompt it as it was trained: `Summarize the following conversation.\\n\\n{{turns}}\\n\\nSummary:`, one `#Person1#: text` a line,
speakers numbered as they first speak, and numbers for their names in what is said, too. diasum does this by itself and puts the names
back (`prompt.speakers`, decided by `dialogue_speakers` in `config.json`). Sources to 512 tokens, targets to 160. Its tokenizer keeps
newlines, braces and repeated spaces. For one short sentence begin with `Summarize the following conversation in one short sentence.`
(`prompt.length=brief`; `dialogue_prompts` in `config.json`).

## Training
{tokens}M tokens (sources and targets) in {steps} steps, {hours} hours of computing, by the project's `pretraining/`:
an initialisation in which an induction
head is written into the weights, so that copying works from the first step; Muon and Adam; short dialogues first; half of the
examples up to 79.0M tokens are reports by rule, which tell or quote any dialogue in the third person, and from there on three in four
are written summaries. From 79.0M tokens on there were two runs, the first of 24.7M tokens, an eighth of its examples reports, the second
(*again* below) of 13.4M without them. {average} At 29.5M and 32.4M tokens slopes were set into two
relative biases, so that a word finds the label of its own turn; at 58.0M a fifth head was written into the weights, which looks there, and
from then on nine examples in ten have numbered speakers (the project's `pretraining/LOG.md` says how and why).
Measured while training (64 pairs each, greedy; ROUGE-1 stemmed; *gap* is ROUGE-1 against the right reference minus
against another dialogue's). From 62.5M on the held-out examples are other ones, with numbered speakers, and after 79.0M they are 100
written conversations (and 100 of DialogSum; the loss is that of written summaries, in the second run of parts of dialogues, too), so
that only DialogSum's columns compare over the whole length:

{curve}

## Data
SGD (CC BY-SA 4.0), with summaries composed from its dialogue acts; CRD3 (CC BY-SA 4.0); MTS-Dialog train (CC BY 4.0);
QMSum train and
validation (MIT); Taskmaster-4 (CC BY 4.0); STAR (MIT); short everyday dialogues composed by the project's scripts. From 79.0M tokens
on, 2,775 everyday conversations with their summaries, and summaries of 7,470 dialogues and parts of dialogues of those corpora, all
written by a large language model, one by one, and read in samples, not proofread (CC0); and 280 short chats (CC0). Held-out ones,
a twenty-fifth, were not trained on, nor was anything near to a conversation that diasum bundles.
Speakers were renamed at random or numbered. The weights are under
CC BY-SA 4.0. DialogSum, DailyDialog, DREAM and MuTual were not trained on; DialogSum's validation split was measured
on.

## Known failures
Nothing of what it writes should be sent as it is: read blind and strictly by two readers, none of 60 summaries of everyday and of sample
conversations and 1 of 60 of DialogSum were usable, with an adapter (of the human references 58, 60 and 56; `docs/quality.md` in the
project). It joins phrases of the dialogue that do not belong together, gives acts to the wrong person, turns what was refused into what was
agreed, leaves out what came of it, and now and then writes words that do not exist ("criedions"). Four in ten of its everyday summaries, an
eighth of the sample's and half of DialogSum's are grammatical throughout. He and she are not known of speakers. It learnt its
ten thousand written summaries by heart before it learnt to summarise (the project's `pretraining/LOG.md`).

{notes}
"""


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--to", type=Path, default=DESTINATION, help="the bundle's folder (replaced)")
    parser.add_argument("--weights", choices=("average", "model"), default="average")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="earlier checkpoints to average with")
    parser.add_argument("--notes", type=Path, help="Markdown to append to the card")
    options = parser.parse_args(argv)
    model, tokenizer, counters = load_run(options.run, options.weights, options.also)
    notes = options.notes.read_text(encoding="utf-8") if options.notes else ""
    size = write_bundle(model, tokenizer, options.to, model_card(options.run, model, counters, notes))
    print(f"{options.to}: {size / 1e6:.1f} MB after {counters['tokens'] / 1e6:.1f}M tokens")


if __name__ == "__main__":
    main()
