"""A run as one model: its adapter merged into its base, which loads with plain transformers.

In: a loaded run and real dialogues. Out: a folder with weights in fp32 as safetensors, tokenizer and special tokens. Twice its logits
are held against those of the run: after merging, before anything is written, and as transformers reads the folder, before it is moved
into place.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from diasum.data import Pair
from diasum.errors import DiasumError
from diasum.exporting.logits import LogitsCheck, Probe, compare_logits
from diasum.files import write_json
from diasum.model.loading import ONE_AT_A_TIME, quiet_transformers
from diasum.model.locating import SIDE_FILE
from diasum.model.special_tokens import SPECIAL_IDS, decoder_start
from diasum.summarization.trained import Trained

_SEPARATE = (
    "Use the run as it is (diasum summarize --run RUN, diasum export RUN --to hub), or train without modules_to_save."
)


class Merged:
    """A model without an adapter, and what is known of how it computes.

    Args:
        trained: its adapter is merged into its model, for good.
        pairs: real dialogues with references.

    Attributes:
        check: how near the merged logits are to the unmerged ones; None where there was no adapter.

    Raises:
        DiasumError: the adapter cannot be merged, or its model then computes something else.
    """

    def __init__(self, trained: Trained, pairs: Sequence[Pair]) -> None:
        check_mergeable(trained)
        self.trained = trained
        self._probe = Probe(trained, pairs)
        self._logits = self._probe.logits(trained.model)
        self.check: LogitsCheck | None = None
        if trained.has_adapter:
            with ONE_AT_A_TIME, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                trained.model = trained.model.merge_and_unload(safe_merge=True)
            trained.has_adapter = False
            self.check = self._held("merging its adapter")

    def write(self, folder: Path) -> LogitsCheck:
        """Fill a folder, and hold what transformers reads from it against the run.

        Raises:
            DiasumError: what was written does not compute the same.
        """
        write_model(self.trained, folder)
        return self._held("saving and loading it", read_plain(folder))

    def _held(self, step: str, model: Any = None) -> LogitsCheck:
        check = compare_logits(self._logits, self._probe.logits(self.trained.model if model is None else model))
        if not check.passed:
            raise DiasumError(
                f"{self.trained.source} computes otherwise after {step}: on {check.dialogues} dialogues, logits differ by "
                f"{check.largest_difference:.3g} (allowed: {check.tolerance:g} of the largest, {check.largest_logit:.3g}). "
                "Nothing is written.",
                hint=f"A weight that was trained apart from the one it is tied to cannot be kept so. {_SEPARATE}",
            )
        return check


def check_mergeable(trained: Trained) -> None:
    """Refuse an adapter that no weights of the base can take up.

    Raises:
        DiasumError: it works on the input, not on weights, or peft cannot merge its kind.
    """
    if not trained.has_adapter:
        return
    config = trained.model.active_peft_config
    kind = getattr(config.peft_type, "value", config.peft_type)
    if config.is_prompt_learning:
        raise DiasumError(
            f"The adapter of {trained.source} ({kind}) puts virtual tokens before the input, which no weights can hold: it cannot be "
            "merged.",
            hint="Use the run as it is, upload its adapter (--to hub), or train a LoRA adapter.",
        )
    if not hasattr(trained.model.base_model, "merge_and_unload"):
        raise DiasumError(
            f"The adapter of {trained.source} ({kind}) cannot be merged: peft has no merge for this kind.",
            hint="Use the run as it is, upload its adapter (--to hub), or train a LoRA adapter.",
        )


def write_model(trained: Trained, folder: Path) -> None:
    """Weights, configuration and tokenizer as transformers has them, and how the run prompts and generates (``diasum.json``)."""
    write_description(trained, folder)
    with quiet_transformers():
        trained.model.save_pretrained(folder, max_shard_size="5GB")
    for weights in folder.glob("*.safetensors"):  # safetensors lets only their owner read them
        weights.chmod((folder / "config.json").stat().st_mode)
    _mend_config(trained.model, folder)


def write_description(trained: Trained, folder: Path) -> None:
    """All of it but the weights."""
    from transformers import GenerationConfig

    model = trained.model
    ids = {name: getattr(model.generation_config, name, None) for name in SPECIAL_IDS}
    model.generation_config = GenerationConfig(**ids | {"decoder_start_token_id": decoder_start(model)})
    with quiet_transformers():
        model.config.save_pretrained(folder)
        model.generation_config.save_pretrained(folder)
        trained.base.tokenizer.save_pretrained(folder)
    _mend_config(model, folder)
    prompt, generate = trained.encoder.settings, trained.generate
    write_json(
        folder / SIDE_FILE,
        {"prompt": prompt.model_dump(mode="json"), "generate": generate.model_dump(mode="json")},
    )


def read_plain(folder: Path) -> Any:
    """The model as transformers alone reads it, in fp32."""
    import torch
    from transformers import AutoModelForSeq2SeqLM

    with ONE_AT_A_TIME, quiet_transformers():
        return AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)


def _mend_config(model: Any, folder: Path) -> None:
    """Whether the head is tied is told as it is: transformers 5 writes true for every T5, and reads it as a model without a head."""
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)  # a folder of this machine
    head, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    config["tie_word_embeddings"] = head is not None and head.weight is embeddings.weight
    write_json(file, config)
