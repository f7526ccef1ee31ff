"""What this project uses of other libraries without their promise: each private name is listed here, with the form it is expected to have.

An upgrade that renames one, or changes its arguments, fails here by name instead of somewhere inside a training.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments

import diasum
from diasum.model.fast import operators

SOURCE = Path(diasum.__file__).parent

# Methods of `Seq2SeqTrainer` that `DialogueTrainer` overrides, with the parameters that it counts on; `_` marks private ones.
OVERRIDDEN = {
    "_get_num_items_in_batch": ["self", "batch_samples", "device"],
    "_get_output_dir": ["self", "trial"],
    "_run_epoch": [
        "self", "model", "epoch", "train_dataloader", "steps_in_epoch", "num_update_steps_per_epoch", "trial", "ignore_keys_for_eval",
        "start_time", "resume_from_checkpoint", "epochs_trained", "steps_trained_in_current_epoch",
    ],
    "_save": ["self", "output_dir", "state_dict"],
    "_save_checkpoint": ["self", "model", "trial"],
    "_save_rng_state": ["self", "output_dir"],
    "_wrap_model": ["self", "model", "training", "dataloader"],
    "compute_loss": ["self", "model", "inputs", "return_outputs", "num_items_in_batch"],
    "create_scheduler": ["self", "num_training_steps", "optimizer"],
    "evaluate": ["self", "eval_dataset", "ignore_keys", "metric_key_prefix", "gen_kwargs"],
    "get_train_dataloader": ["self"],
    "log": ["self", "logs", "start_time"],
    "store_flos": ["self"],
    "training_step": ["self", "model", "inputs", "num_items_in_batch"],
}  # fmt: skip

# Operators of torch without a public name, and their schemas.
OPERATORS = {
    "aten::_scaled_dot_product_flash_attention_for_cpu":
        "(Tensor query, Tensor key, Tensor value, float dropout_p=0., bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None)"
        " -> (Tensor output, Tensor logsumexp)",
    "aten::_scaled_dot_product_flash_attention_for_cpu_backward":
        "(Tensor grad_out, Tensor query, Tensor key, Tensor value, Tensor out, Tensor logsumexp, float dropout_p, bool is_causal, *, "
        "Tensor? attn_mask=None, float? scale=None) -> (Tensor grad_query, Tensor grad_key, Tensor grad_value)",
    "aten::gelu_backward": '(Tensor grad_output, Tensor self, *, str approximate="none") -> Tensor',
    "mkldnn::_linear_pointwise": "(Tensor X, Tensor W, Tensor? B, str attr, Scalar?[] scalars, str? algorithm) -> Tensor Y",
    "mkldnn::_linear_pointwise.binary": "(Tensor X, Tensor other, Tensor W, Tensor? B, str attr) -> Tensor Y",
    "mkldnn::_reorder_linear_weight": "(Tensor self, int? batch_size=None) -> Tensor Y",
}  # fmt: skip

# Modules of other libraries with a private name, and what is taken from them.
PRIVATE_MODULES = {("torch.utils._python_dispatch", "TorchDispatchMode"), ("torch.utils._pytree", "tree_leaves")}

# Private attributes that are read or set on other libraries' objects.
PRIVATE_ATTRIBUTES = {
    "_n_gpu",  # of TrainingArguments
    "_is_accelerate_prepared",  # set on a model that accelerate need not wrap
    "_run_epoch", "_wrap_model", "_get_num_items_in_batch", "_save_checkpoint", "_save_rng_state",  # of the trainer, see above
    "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_flash_attention_for_cpu_backward",  # operators, see above
    "_linear_pointwise", "_reorder_linear_weight",
    "_version",  # of a tensor: how often it was changed in place
    "_exit", "_run_exitfuncs",  # of os and atexit: processes that trained together end so, see tests/training/test_distributed.py
}  # fmt: skip


def _trees() -> list[ast.Module]:
    return [ast.parse(file.read_text(encoding="utf-8")) for file in sorted(SOURCE.rglob("*.py"))]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_each_private_attribute_of_another_library_is_listed() -> None:
    """Those on `self` and `cls`, and those that a class or module of ours defines, are our own."""
    used, own = set(), set()
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _is_private(node.attr):
                ours = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
                (own if ours else used).add(node.attr)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
                own |= {target.id for target in targets if isinstance(target, ast.Name)}
    own -= set(OVERRIDDEN)
    assert used - own == PRIVATE_ATTRIBUTES


def test_a_tensor_counts_its_changes() -> None:
    weight = torch.zeros(2)
    before = weight._version
    weight.add_(1)
    assert weight._version > before


def test_each_private_module_of_another_library_is_listed() -> None:
    used = {
        (node.module, alias.name)
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith("diasum")
        for alias in node.names
        if any(map(_is_private, [*node.module.split("."), alias.name]))
    }
    assert used == PRIVATE_MODULES
    for module, name in PRIVATE_MODULES:
        assert hasattr(importlib.import_module(module), name)


def test_the_trainer_overrides_what_is_listed() -> None:
    from diasum.training.trainer import DialogueTrainer

    overridden = {name for name in vars(DialogueTrainer) if hasattr(Seq2SeqTrainer, name) and not name.startswith("__")}
    assert overridden == set(OVERRIDDEN)


@pytest.mark.parametrize("name", sorted(OVERRIDDEN))
def test_the_trainer_of_transformers_has_these_methods(name: str) -> None:
    assert list(inspect.signature(getattr(Seq2SeqTrainer, name)).parameters) == OVERRIDDEN[name]


def test_training_arguments_have_a_number_of_gpus(tmp_path: Path) -> None:
    arguments = Seq2SeqTrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to="none")
    arguments._n_gpu = 5
    assert arguments.n_gpu == 5


def test_accelerate_asks_whether_a_model_was_prepared() -> None:
    import accelerate.accelerator

    assert "_is_accelerate_prepared" in inspect.getsource(accelerate.accelerator)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_torch_has_these_operators(name: str) -> None:
    schemas = [str(one) for one in torch._C._jit_get_schemas_for_operator(name.split(".")[0])]
    if not schemas and name.startswith("mkldnn::"):
        pytest.skip("this build of torch has no oneDNN; the fast path goes without it")
    assert name + OPERATORS[name] in schemas


def test_operators_are_tried_out() -> None:
    """With the installed torch they work; the names tried are those listed."""
    assert operators.problem() is None
    assert set(operators.NAMES) == {name for name in OPERATORS if name.startswith("aten::")}


class _Missing:
    """Stands for `torch.ops.aten` of a torch that has dropped an operator, or changed it."""

    def __init__(self, name: str, replacement: Any = None) -> None:
        self._name, self._replacement = name, replacement

    def __getattr__(self, name: str) -> Any:
        if name != self._name:
            return getattr(_ATEN, name)
        if self._replacement is None:
            raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}'")
        return self._replacement


_ATEN = torch.ops.aten


@pytest.mark.parametrize("operator", [name.removeprefix("aten::") for name in operators.NAMES])
@pytest.mark.parametrize("change", ["dropped", "other arguments", "another result"])
def test_the_fast_path_steps_aside(operator: str, change: str, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from diasum.config import LoraSettings
    from diasum.model import choose_hardware, load_base
    from diasum.model.adapters import add_adapter
    from diasum.model.fast import fast_path

    plain = getattr(_ATEN, operator)

    def doubled(*args: Any, **kwargs: Any) -> Any:
        out = plain(*args, **kwargs)
        return tuple(2 * part for part in out) if isinstance(out, tuple) else 2 * out

    replacement = {"dropped": None, "other arguments": lambda: None, "another result": doubled}[change]
    loaded = load_base(base, choose_hardware("cpu", "fp32"))
    model = add_adapter(loaded.model, LoraSettings(), seed=0)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(torch.ops, "aten", _Missing(operator, replacement))
            operators.problem.cache_clear()
            choice = fast_path(model)
    finally:
        operators.problem.cache_clear()
    assert choice.model is None
    assert choice.reason.startswith("plain path: torch ")
    assert fast_path(model).model is not None
