"""Load a base model and its tokenizer, from the hub, a folder or the package; refuse what cannot work before reading weights."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from diasum.config import PromptSettings, Settings
from diasum.data import PairEncoder, lost_characters
from diasum.data.tokenizer import Tokenizer
from diasum.errors import DiasumError, near_path
from diasum.hub import offline
from diasum.model.hardware import Hardware, choose_hardware
from diasum.model.light import LightModel
from diasum.model.memory import is_out_of_memory
from diasum.model.quantized import Quantization, keep_trainable, quantization_options
from diasum.model.weights import check_loaded, untied_head, weights_hash

BUNDLED = "mini"
# While transformers and peft load a model they change torch for the whole process: two threads that do so break each other's.
ONE_AT_A_TIME = threading.RLock()


@dataclass(slots=True)
class Base:
    """A base model ready for an adapter.

    Attributes:
        id: as the user named it: hub id, folder or ``mini``.
        model: a `transformers.PreTrainedModel` with a sequence-to-sequence head.
        tokenizer: its tokenizer.
        model_type: the family as its config names it (``t5``, ``bart``).
        revision: commit on the hub, where it comes from there.
        weights_sha256: hash of the weight files; tells whether an adapter meets the base it was trained on.
        quantization: how its frozen weights are kept: ``none``, ``8bit`` or ``4bit``.
    """

    id: str
    model: Any
    tokenizer: Any
    model_type: str
    revision: str | None
    weights_sha256: str
    quantization: Quantization = "none"

    def prompt(self, settings: PromptSettings) -> PromptSettings:
        """The settings of a prompt as this base can read it."""
        return settings.for_base(self.model.config, position_limits(self.model))


def position_limits(model: Any) -> tuple[int | None, int | None]:
    """Tokens of the longest source and target that a model has positions for; None where its positions are relative or computed."""
    if isinstance(model, LightModel):
        return model.position_limits
    from torch import nn

    limits = []
    for stack in (model.get_encoder(), model.get_decoder()):
        table = getattr(stack, "embed_positions", getattr(stack, "position_embeddings", None))
        limits.append(table.num_embeddings - getattr(table, "offset", 0) if isinstance(table, nn.Embedding) else None)
    return limits[0], limits[1]


def decoder_layers(config: Any) -> int:
    """The number of decoder layers, which families keep under different names."""
    return int(
        getattr(config, "num_decoder_layers", None)
        or getattr(config, "decoder_layers", None)
        or config.get_text_config(decoder=True).num_hidden_layers
    )


def bundled_base() -> Path:
    """The folder of the bundled base model."""
    return Path(str(resources.files("diasum") / "assets" / BUNDLED))


def resolve_base(base: str) -> str:
    """What transformers should load: a folder's path or a hub id.

    Raises:
        DiasumError: it looks like a path but there is no such folder.
    """
    if base == BUNDLED and not Path(base).is_dir():
        return str(bundled_base())
    path = Path(base).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            hint = (
                "An adapter folder is not a base model; give the base with --base."
                if (path / "adapter_config.json").is_file()
                else None
            )
            raise DiasumError(f"{base} holds no model: expected config.json, found {_listing(path)}.", hint=hint)
        return str(path)
    if base.startswith((".", "/", "~")) or base.count("/") > 1 or "\\" in base:
        raise DiasumError(
            f"No model folder at {base}.",
            hint=near_path(path, [BUNDLED])
            or "Expected a folder with a model, a hub id such as `google/flan-t5-base`, or `mini`.",
        )
    offline()
    return base


def base_name(base: str) -> str:
    """What a base is called on other machines: a hub id, ``mini``, or a folder's name without the path to it."""
    path = Path(base).expanduser()
    return base if base == BUNDLED or not path.is_dir() else path.resolve().name


def load_base(
    base: str,
    hardware: Hardware,
    *,
    revision: str | None = None,
    trust_remote_code: bool = False,
    weights: bool = True,
    quantization: Quantization = "none",
    on_device: bool = True,
) -> Base:
    """Load tokenizer and model, the model in fp32.

    Args:
        base: hub id, folder or ``mini``.
        hardware: where it runs.
        revision: the hub repository's commit, tag or branch.
        trust_remote_code: allow code from the repository; off unless the user asks for it.
        quantization: ``8bit`` or ``4bit`` keep the linear layers' weights so.
        on_device: False leaves the model in main memory, for `distributed.shard_base` to bring its parts where they belong.
        weights: False builds the model without weights (on the meta device), for `inspect`.

    Raises:
        MissingExtraError: quantisation without bitsandbytes.
        DiasumError: not an encoder-decoder text model, no safetensors weights, a tokenizer that does not match, or no network.
    """
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    source = resolve_base(base)
    config = load_config(base, revision=revision, trust_remote_code=trust_remote_code)
    common: dict[str, Any] = {"revision": revision, "trust_remote_code": trust_remote_code}
    quantized = quantization_options(quantization, hardware)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **common)
    except (OSError, ValueError, ImportError) as error:
        raise _hub_error(base, "tokenizer", error) from None
    if weights:
        model = _model_with_weights(base, source, config, **quantized, **common)
        if quantized:
            keep_trainable(model)
        elif on_device:
            model.to(hardware.device)
        if config.model_type == "led":
            _attend_globally(model)
    else:
        with ONE_AT_A_TIME, torch.device("meta"):
            model = AutoModelForSeq2SeqLM.from_config(config, trust_remote_code=trust_remote_code)
    check_tokenizer(base, tokenizer, model.get_input_embeddings().weight.shape[0], model.generation_config)
    weights_sha256 = weights_hash(source, revision) if weights else ""
    return Base(base, model, tokenizer, config.model_type, _commit(source, revision), weights_sha256, quantization)


def load_encoder(settings: Settings) -> PairEncoder:
    """What turns dialogues into a base's tokens: its tokenizer, with the prompt and limits that it can read; no weights are read.

    Args:
        settings: `base`, `base_revision`, `trust_remote_code` and those of the prompt.

    Raises:
        DiasumError: as `load_base`.
    """
    base = load_base(
        settings.base,
        choose_hardware("cpu", "fp32"),
        revision=settings.base_revision,
        trust_remote_code=settings.trust_remote_code,
        weights=False,
    )
    return PairEncoder(base.tokenizer, base.prompt(settings.prompt))


def _model_with_weights(base: str, source: str, config: Any, *, revision: str | None, **options: Any) -> Any:
    """The model in main memory, its weights checked against its configuration.

    Args:
        base: as the user named it, for errors.
        source: what transformers should load.
        config: the model's configuration.
        revision: the hub repository's commit, tag or branch.
        options: for `from_pretrained`.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForSeq2SeqLM

    try:
        with ONE_AT_A_TIME, quiet_transformers():
            model, loading = AutoModelForSeq2SeqLM.from_pretrained(
                source,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                revision=revision,
                **options,
            )
    except (OSError, ValueError, ImportError) as error:
        raise _hub_error(base, "weights", error) from None
    except (SafetensorError, RuntimeError, LookupError, TypeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise DiasumError(
                f"Memory ran out while loading {base}.", hint="Use a smaller base or a machine with more memory."
            ) from None
        raise DiasumError(
            f"The weights of {base} cannot be read ({type(error).__name__}: {error}).",
            hint="The file may be truncated or damaged: download or copy it again.",
        ) from None
    if not _is_tied(source, revision):
        loading["missing_keys"] |= untied_head(model, source, revision)
    check_loaded(base, model, loading)
    return model


def load_config(base: str, *, revision: str | None = None, trust_remote_code: bool = False) -> Any:
    """The model's configuration, checked to be an encoder-decoder for text.

    Raises:
        DiasumError: as `load_base`.
    """
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES as TEXT_TO_TEXT

    try:
        config = AutoConfig.from_pretrained(resolve_base(base), revision=revision, trust_remote_code=trust_remote_code)
    except (OSError, ValueError) as error:
        raise _hub_error(base, "configuration", error) from None
    if not getattr(config, "is_encoder_decoder", False):
        raise DiasumError(
            f"{base} ({config.model_type}) is {_kind(config)}: diasum needs an encoder-decoder model.",
            hint="For example google/flan-t5-base, facebook/bart-base, google/t5gemma-s-s-prefixlm, or the bundled `mini`.",
        )
    if config.model_type not in TEXT_TO_TEXT and not trust_remote_code:
        raise DiasumError(
            f"{base} ({config.model_type}) does not turn text into text: diasum needs a text encoder-decoder model.",
            hint=f"Families that work: {', '.join(sorted(TEXT_TO_TEXT))}.",
        )
    return config


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Within this context, transformers shows no bars and gives no advice: diasum itself reports what is loaded."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _is_tied(source: str, revision: str | None) -> bool:
    """What config.json says of the head and the embeddings; transformers takes T5's for tied whatever it says."""
    from transformers import PreTrainedConfig

    return PreTrainedConfig.get_config_dict(source, revision=revision)[0].get("tie_word_embeddings") is not False


def _commit(source: str, revision: str | None) -> str | None:
    """The commit of a hub id that was loaded, read off its place in the cache; None for a folder."""
    if Path(source).is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(source, "config.json", revision=revision)
    return Path(file).parent.name if isinstance(file, str) else revision


def _attend_globally(model: Any) -> None:
    """LED attends in windows; its first token must see, and be seen by, all the others, in training as in generation.

    Beltagy et al., 2020, "Longformer": without global attention a summariser never looks beyond a window. A hook on the encoder is the one
    place that training, generation and scoring all pass through.
    """
    import torch

    def first_token(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        ids = kwargs.get("input_ids", args[0] if args else None)
        if kwargs.get("global_attention_mask") is None and ids is not None:
            mask = torch.zeros_like(ids)
            mask[:, 0] = 1
            kwargs = {**kwargs, "global_attention_mask": mask}
        return args, kwargs

    model.get_encoder().register_forward_pre_hook(first_token, with_kwargs=True)


def _kind(config: Any) -> str:
    """What a model is that has not both an encoder and a decoder."""
    from transformers.models.auto import modeling_auto as auto

    architectures = " ".join(config.architectures or ())
    if re.search(r"Encoder(Model)?\b|MaskedLM|PreTraining", architectures):
        return "an encoder-only model"
    if getattr(config, "is_decoder", False) or re.search("CausalLM|LMHead", architectures):
        return "a decoder-only model"
    if config.model_type in auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
        return "not an encoder-decoder model according to its config.json (is_encoder_decoder is false)"
    if config.model_type in auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "an encoder-only model"
    return (
        "a decoder-only model"
        if config.model_type in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        else "another kind of model"
    )


def check_tokenizer(base: str, tokenizer: Tokenizer, rows: int, generation_config: Any) -> None:
    """Refuse a tokenizer that is not the model's.

    Args:
        base: as the user named it.
        tokenizer: of the base.
        rows: of the model's embeddings.
        generation_config: the model's.

    Raises:
        DiasumError: it has more tokens than the model, no padding or end token, another end token, or no letters.
    """
    size = len(tokenizer)
    if size > rows:
        raise DiasumError(
            f"The tokenizer of {base} does not match its model: it has {size} tokens, the model embeds {rows}.",
            hint="Use a tokenizer and model from the same source; the folder may mix files of two models.",
        )
    if tokenizer.pad_token_id is None or tokenizer.eos_token_id is None:
        raise DiasumError(f"The tokenizer of {base} has no padding or end token, which a summariser needs.")
    # transformers makes an empty tokenizer where a folder has none.
    if len(lost_characters(tokenizer, [ascii_lowercase])) > len(ascii_lowercase) // 2:
        raise DiasumError(
            f"The tokenizer of {base} does not know the letters a to z: its files are missing or damaged.",
            hint="A model folder needs its tokenizer beside it (tokenizer.json or a sentencepiece model); copy it there.",
        )
    ends = getattr(generation_config, "eos_token_id", None)
    if ends is not None and tokenizer.eos_token_id not in (ends if isinstance(ends, list) else [ends]):
        raise DiasumError(
            f"The tokenizer of {base} does not match its model: it ends texts with token {tokenizer.eos_token_id}, "
            f"the model with {ends}.",
            hint="Use a tokenizer and model from the same source; the folder may mix files of two models.",
        )


def _hub_error(base: str, what: str, error: Exception) -> DiasumError:
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    if Path(resolve_base(base)).is_dir():
        hint = "It needs config.json, a tokenizer and *.safetensors weights (pickled weights are not read)."
        return DiasumError(f"The {what} in {base} cannot be loaded: {first}", hint=hint)
    meant = near_path(Path(base).expanduser(), [BUNDLED])
    return DiasumError(
        f"The {what} of {base} cannot be loaded from the hub: {first}",
        hint=(
            f"{meant} Without network: download the model elsewhere (`hf download ID --local-dir FOLDER`), copy the folder here, give its "
            "path as the base, or use the bundled `mini`. With network: check the id; gated models need `hf auth login`."
        ).lstrip(),
    )


def _listing(folder: Path) -> str:
    names = sorted(p.name for p in folder.iterdir())
    return json.dumps(names[:8])[1:-1] + (" ..." if len(names) > 8 else "") if names else "an empty folder"
