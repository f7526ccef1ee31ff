"""Whether a fresh adapter trains what it says: every trained parameter is read by the model, and what is tied is told when it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from diasum.errors import DiasumError
from diasum.model.weights import listed

_OF_LINEAR_LAYERS = re.compile(r"\.lora_(A|B|magnitude_vector)\.")


def check_tying(settings: dict[str, Any]) -> None:
    """Refuse `ensure_weight_tying` where peft does not bring it about.

    For modules_to_save and target_modules it puts an embedding where the head was, or the head where an embedding was, or trains copies
    that are not read.

    Raises:
        DiasumError: it is set without trainable_token_indices.
    """
    if settings.get("ensure_weight_tying") and not settings.get("trainable_token_indices"):
        raise DiasumError(
            "lora.ensure_weight_tying: peft keeps embeddings of encoder-decoder models tied in trainable_token_indices only.",
            hint="Leave it out, or train the embeddings of some tokens: lora.trainable_token_indices=[5, 17].",
        )


def check_read(wrapped: Any) -> None:
    """Refuse trained parameters that the model does not read, such as those of T5's `shared`: its stacks have embeddings of their own.

    A forward and a backward pass over four tokens tell; LoRA on linear layers alone needs none. Experts that these tokens do not meet
    are left out of account.

    Args:
        wrapped: a `peft.PeftModel` with its weights in memory.

    Raises:
        DiasumError: some trained tensors are never used (they are named), or the model does not run.
    """
    import torch

    trained = {name: p for name, p in wrapped.named_parameters() if p.requires_grad}
    if all(_OF_LINEAR_LAYERS.search(name) for name in trained):
        return
    ids = torch.arange(4, device=wrapped.device)[None] % wrapped.get_input_embeddings().weight.shape[0]
    was_training = wrapped.training
    wrapped.eval()
    try:
        with torch.enable_grad():
            loss = wrapped(input_ids=ids, decoder_input_ids=ids, use_cache=False).logits.float().square().sum()
            gradients: tuple[torch.Tensor | None, ...] = (None,) * len(trained)
            if loss.requires_grad:  # else none is used at all
                gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
    except (RuntimeError, TypeError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise DiasumError(f"lora: with these settings peft builds a model that does not run: {first}") from None
    finally:
        wrapped.train(was_training)
    unread = [name for name, grad in zip(trained, gradients, strict=True) if grad is None and "expert" not in name]
    if unread:
        modules = sorted({_module(name) for name in unread})
        family = wrapped.get_base_model().config.model_type
        raise DiasumError(
            f"lora: {len(unread)} of the {len(trained)} trained tensors would not be used by {family}, and so not be trained: those of "
            f"{listed([f'`{module}`' for module in modules])}.",
            hint="Encoder and decoder each have their own embedding module: use `embed_tokens` instead, or "
            "lora.trainable_token_indices, which keeps them tied.",
        )


def check_tokens_tied(wrapped: Any) -> None:
    """Refuse to train tokens in an embedding and a head that are not tied: peft would put the rows of the one into the other.

    FLAN-T5 and T5 1.1 have such heads, which transformers' configuration calls tied.

    Raises:
        DiasumError: an embedding and a head with trained tokens are not tied.
    """
    from peft.utils.other import TrainableTokensWrapper

    embedding = wrapped.get_input_embeddings()
    for path, module in wrapped.get_base_model().named_modules():
        if not isinstance(module, TrainableTokensWrapper) or module.token_adapter.tied_adapter is None:
            continue
        if module.original_module.weight is not embedding.original_module.weight:
            raise DiasumError(
                f"lora.trainable_token_indices: peft would train tokens in `{path}` as in the embeddings, and this base does not tie them.",
                hint="Name the modules: lora.trainable_token_indices={embed_tokens: [...]}, with the tokens in brackets.",
            )


def untied(wrapped: Any) -> list[str]:
    """Notes, a sentence each, on modules that share their weights in the base and are adapted apart from the others."""
    base = wrapped.get_base_model()
    sharing: dict[int, set[str]] = {}
    owners: dict[str, set[str]] = {}
    for path, adapted, weight in _weights(base):
        sharing.setdefault(id(weight), set()).add(path)
        if adapted is not None:
            owners.setdefault(adapted, set()).add(path)
    notes = []
    for paths in owners.values():
        for group in sharing.values():
            if (own := paths & group) and (others := group - own):
                alone, rest = listed(sorted(own), "`, `"), listed(sorted(others))
                notes.append(f"`{alone}` shares its weights with {rest} in the base; the adapter changes it alone.")
    return sorted(set(notes))


def _weights(base: Any) -> Iterator[tuple[str, str | None, Any]]:
    """Path, which part of the adapter is on it (None: none), and the base's weight, of each embedding and the head."""
    from peft.tuners.lora import LoraLayer
    from peft.utils import AuxiliaryTrainingWrapper
    from peft.utils.other import TrainableTokensWrapper
    from torch import nn

    head, inside = base.get_output_embeddings(), ""
    for path, module in base.named_modules():
        if inside and path.startswith(inside):
            continue
        if isinstance(module, TrainableTokensWrapper):
            adapter = module.token_adapter
            yield path, str(id(adapter.tied_adapter or adapter)), module.original_module.weight
        elif isinstance(module, AuxiliaryTrainingWrapper):
            for name, parameter in module.original_module.named_parameters():
                yield ".".join(filter(None, (path, name.rpartition(".")[0]))), path, parameter
        elif isinstance(module, LoraLayer) and (module is head or isinstance(module.get_base_layer(), nn.Embedding)):
            yield path, path, module.get_base_layer().weight
        elif isinstance(module, nn.Embedding) or module is head:
            yield path, None, module.weight
            continue
        else:
            continue
        inside = f"{path}."


def _module(name: str) -> str:
    """The path of the model's own module in a parameter's name."""
    path = name.removeprefix("base_model.model.")
    return re.split(r"\.(?:modules_to_save|lora_|token_adapter|base_layer)", path)[0]
