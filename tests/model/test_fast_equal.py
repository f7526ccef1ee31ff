"""The fast path computes what plain transformers and peft compute: losses, gradients, distributions of dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import IA3Config, get_peft_model
from torch.nn import functional

from diasum.data import Seq2SeqCollator
from diasum.errors import DiasumError
from diasum.model.fast import Packed, bart, fast_path, t5
from diasum.model.fast.base import FastModel
from diasum.model.fast.compiling import compiled
from diasum.model.fast.frozen import FrozenWeight, choose_products, has_onednn_products
from diasum.model.fast.ops import LOSS_CHUNK, cross_entropy_sum
from tests.model.fast_models import FAMILIES, adapted, batch, distance, gradients, plain_loss

ALL_LINEAR: dict[str, Any] = {"target_modules": "all-linear"}
KERNELS = ["off", pytest.param("on", marks=pytest.mark.skipif(not compiled(torch.float32)[0], reason="no compiler"))]
ADAPTERS: dict[str, dict[str, Any]] = {
    "all-linear": ALL_LINEAR,
    "k, o and feed-forward": {"target_modules": ["k", "o", "wi_0", "wo"]},
    "rank-stabilised": {"use_rslora": True, "target_modules": ["q", "k", "v"]},
    "pattern": {"rank_pattern": {"q": 2}, "alpha_pattern": {"v": 16}},
    "decoder only": {"target_modules": r".*decoder.*\.(q|v|wi_1)"},
    "upper encoder only": {"target_modules": r".*encoder\.block\.1.*\.(q|o)"},
    "cross-attention only": {"target_modules": r".*EncDecAttention\.(k|v)"},
}


def fast_of(model: Any, dtype: torch.dtype = torch.float32, **options: Any) -> FastModel:
    choice = fast_path(model, dtype, **options)
    assert choice.model is not None, choice.reason
    return choice.model


def check_equal(model: Any, inputs: dict[str, torch.Tensor], smoothing: float = 0.0, **options: Any) -> None:
    theirs = plain_loss(model, inputs, smoothing)
    their_gradients = gradients(model, theirs)
    ours = fast_of(model, **options).loss_sum(Packed.of(inputs), label_smoothing=smoothing)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    assert distance(gradients(model, ours), their_gradients) < 1e-5
    again = plain_loss(model, inputs, smoothing)
    assert again.item() == pytest.approx(theirs.item(), rel=1e-6), "the plain model goes on working"


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("family", FAMILIES)
def test_families(family: str, kernels: str) -> None:
    check_equal(adapted(family), batch(), smoothing=0.1, kernels=kernels)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapters(adapter: str, kernels: str) -> None:
    check_equal(adapted("flan-t5", **ADAPTERS[adapter]), batch(), kernels=kernels)


def test_all_linear_layers_of_bart() -> None:
    check_equal(adapted("bart", target_modules="all-linear"), batch())


@pytest.mark.parametrize("lengths", [((9, 1),), ((1, 1),), ((70, 65),), ((5, 3), (5, 3), (5, 3))])
@pytest.mark.parametrize("family", ["flan-t5", "bart"])
def test_single_pairs_and_equal_lengths(family: str, lengths: tuple[tuple[int, int], ...]) -> None:
    check_equal(adapted(family), batch(lengths))


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("family", ["flan-t5", "bart"])
def test_recomputed_activations(family: str, kernels: str) -> None:
    check_equal(adapted(family), batch(), recompute=True, kernels=kernels)
    model = adapted(family, lora_dropout=0.4).train()
    made = []
    for recompute in (False, True):  # the recomputed pass must drop the same elements
        torch.manual_seed(5)
        fast = fast_of(model, recompute=recompute, kernels=kernels)
        made.append(gradients(model, fast.loss_sum(Packed.of(batch()))))
    assert distance(*made) < 1e-6


@pytest.mark.parametrize("family", ["flan-t5", "bart"])
def test_blocks_run_again_only_where_activations_are_recomputed(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, ran = {"flan-t5": t5._Block, "bart": bart._Layer}[family], []
    for name in ("encode", "decode"):
        real = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda *args, real=real: ran.append(real) or real(*args))
    for recompute, times in ((False, 1), (True, 2)):
        model = adapted(family)
        fast = fast_of(model, recompute=recompute)
        ran.clear()
        gradients(model, fast.loss_sum(Packed.of(batch())))
        assert len(ran) == times * len(fast._encoder + fast._decoder)


def test_nothing_runs_backward_below_the_lowest_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    products, real = [], FrozenWeight.backward
    monkeypatch.setattr(FrozenWeight, "backward", lambda self, grad: products.append(self) or real(self, grad))
    for where, expected in {
        r".*decoder.*\.block\.1\.layer\.1\.EncDecAttention\.o": 9,  # head, block 2 but for its keys and values, wo, wi
        r".*decoder.*\.block\.1\.layer\.2\.DenseReluDense\.wi_0": 8,  # the same but wi
    }.items():
        model = adapted("flan-t5", target_modules=where)
        fast, packed = fast_of(model), Packed.of(batch())
        assert not fast.encode(packed).requires_grad
        products.clear()
        made = gradients(model, fast.loss_sum(packed))
        assert made
        assert len(products) == expected, where


packs = pytest.mark.skipif(
    not has_onednn_products("cpu", torch.float32), reason="this build of torch cannot pack weights"
)


@packs
@pytest.mark.parametrize("family", FAMILIES)
def test_packed_weights(family: str) -> None:
    check_equal(adapted(family, **ALL_LINEAR if family == "bart" else {}), batch(), smoothing=0.1, prepack="on")
    check_equal(adapted(family), batch(((1, 1),)), prepack="on")


@packs
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 7, 2048, 2100])
def test_products_with_a_packed_weight(dtype: torch.dtype, rows: int) -> None:
    if not has_onednn_products("cpu", dtype):
        pytest.skip(f"no packed products in {dtype} on this machine")
    generator = torch.Generator().manual_seed(rows)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).to(dtype)

    weight, bias, x, residual = drawn(72, 40), drawn(72), drawn(rows, 40), drawn(rows, 72)
    packed, plain = (FrozenWeight(weight, bias, by=by) for by in ("packed", "torch"))
    exact = x.double() @ weight.double().t() + bias.double()
    # in bf16 the plain product rounds twice where a residual is added
    bound = 1e-5 if dtype == torch.float32 else 2 * (plain.forward(x, residual) - exact - residual).abs().max().item()
    for made, wanted in (
        (packed.forward(x), exact),
        (packed.forward(x, residual), exact + residual.double()),
        (packed.backward(residual), residual.double() @ weight.double()),
    ):
        assert made.dtype == dtype
        torch.testing.assert_close(made.double(), wanted, rtol=1e-5, atol=max(bound, 1e-4))
    across = drawn(rows, 144)[:, ::2]  # a view
    torch.testing.assert_close(packed.backward(across), plain.backward(across))
    unpacked = FrozenWeight(weight, bias, by="onednn")
    torch.testing.assert_close(unpacked.forward(x), packed.forward(x))
    torch.testing.assert_close(unpacked.forward(x, residual), packed.forward(x, residual))
    assert torch.equal(unpacked.backward(residual), plain.backward(residual))


def test_products_are_chosen_by_the_machine_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def choice(asked: str = "auto", dtype: torch.dtype = torch.bfloat16, **changed: Any) -> tuple[str, str]:
        return choose_products(asked, "cpu", dtype, **{"size": 10**9, "recompute": False} | changed)

    module = "diasum.model.fast.frozen"
    monkeypatch.setattr(f"{module}.has_onednn_products", lambda device, dtype: True)
    monkeypatch.setattr(f"{module}.bf16_support", lambda device: None)
    monkeypatch.setattr(f"{module}.memory_bytes", lambda: 24 * 10**9)
    monkeypatch.setattr(f"{module}.processor", lambda: "Intel(R) Xeon(R)")
    assert choice() == choice(dtype=torch.float32) == choice("off") == ("torch", "")
    assert choice("on") == choice("on", torch.float32) == ("packed", "weights packed once: as set")
    monkeypatch.setattr(f"{module}.bf16_support", lambda device: "it has")
    products, reason = choice()
    assert products == "packed"
    assert "2.0 GB more" in reason
    assert choice("off") == choice(dtype=torch.float32) == ("torch", "")
    assert "gradient_checkpointing" in choice(recompute=True)[1]
    assert "memory" in choice(size=5 * 10**9)[1]
    monkeypatch.setattr(f"{module}.processor", lambda: "AMD EPYC")
    assert choice(dtype=torch.float32) == choice("off", torch.float32) == ("onednn", "")
    monkeypatch.setattr(f"{module}.has_onednn_products", lambda device, dtype: False)
    assert choice("auto", torch.float32) == ("torch", "")
    for device in ("cpu", "cuda"):
        with pytest.raises(DiasumError, match=f"cannot multiply by packed bfloat16 weights on this {device}"):
            choose_products("on", device, torch.bfloat16, size=1, recompute=False)
    assert choose_products("auto", "cuda", torch.bfloat16, size=1, recompute=False) == ("torch", "")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_packing_asked_for_never_fails_later(dtype: torch.dtype) -> None:
    """oneDNN refuses bf16 on processors without AVX-512, with an error at the first product."""
    model = adapted("flan-t5")
    if not has_onednn_products("cpu", dtype):
        with pytest.raises(DiasumError, match=r"train\.prepack is on"):
            fast_path(model, dtype, prepack="on")
        return
    choice = fast_path(model, dtype, prepack="on")
    assert choice.model is not None
    assert torch.isfinite(choice.model.loss_sum(Packed.of(batch())))


def test_rows_hold_the_real_tokens_in_order() -> None:
    features = [{"input_ids": [5, 6, 0, 7], "labels": [8]}, {"input_ids": [9], "labels": [3, 2]}]
    packed = Packed.of(Seq2SeqCollator(0, decoder_start_token_id=2)(features))
    assert packed.source.tolist() == [5, 6, 0, 7, 9]
    assert packed.decoder_input.tolist() == [2, 2, 3]
    assert packed.labels.tolist() == [8, 3, 2]
    assert packed.cross.spans == [(0, 1, 0, 4), (1, 3, 4, 5)]


def test_encoder_states_given() -> None:
    model = adapted("flan-t5", target_modules=r".*decoder.*\.(q|v)")
    fast, packed = fast_of(model), Packed.of(batch())
    with torch.no_grad():
        states = fast.encode(packed)
    whole, given = (fast.loss_sum(packed, encoder_states=known) for known in (None, states))
    assert torch.equal(whole, given)
    assert distance(gradients(model, given), gradients(model, whole)) == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("biased", [False, True])
def test_chunked_cross_entropy(smoothing: float, biased: bool) -> None:
    torch.manual_seed(0)
    states = torch.randn(2 * LOSS_CHUNK + 17, 8, requires_grad=True)
    weight, bias = torch.randn(50, 8), torch.randn(50) if biased else None
    labels = torch.randint(0, 50, (len(states),))
    ours = cross_entropy_sum(states, FrozenWeight(weight, None), bias, labels, smoothing=smoothing)
    logits = functional.linear(states, weight, bias)
    theirs = functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=smoothing)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)
    torch.testing.assert_close(*(torch.autograd.grad(3 * loss, states)[0] for loss in (ours, theirs)))


BF16 = [
    *[pytest.param(family, {}, id=family) for family in FAMILIES],
    pytest.param("bart", ALL_LINEAR, id="bart, all-linear"),
    *[pytest.param("flan-t5", lora, id=f"flan-t5, {name}") for name, lora in ADAPTERS.items()],
]
WAYS = [{"kernels": "off"}]
if compiled(torch.bfloat16)[0]:
    WAYS.append({"kernels": "on"})
if has_onednn_products("cpu", torch.bfloat16):
    WAYS.append({"kernels": "auto", "prepack": "on"})


@pytest.mark.parametrize(("family", "lora"), BF16)
def test_bf16_is_as_near_to_fp32_as_plain_bf16(family: str, lora: dict[str, Any]) -> None:
    """Within twice its error, over three models: of all gradients together, and of the loss."""
    inputs, total = batch(), 0.0
    errors = [torch.zeros(2) for _ in ["plain", *WAYS]]
    for seed in range(3):
        exact = adapted(family, seed, **lora)
        loss = plain_loss(exact, inputs)
        wanted = gradients(exact, loss)
        total += loss.item()

        plain = adapted(family, seed, **lora)
        for name, parameter in plain.named_parameters():
            if "lora_" not in name:
                parameter.data = parameter.data.bfloat16()
        made = [(plain, plain_loss(plain, inputs))]
        for way in WAYS:
            model = adapted(family, seed, **lora)
            made.append((model, fast_of(model, torch.bfloat16, **way).loss_sum(Packed.of(inputs))))
            assert made[-1][1].dtype == torch.float32
        for error, (model, their_loss) in zip(errors, made, strict=True):
            error[0] += error_of_all(gradients(model, their_loss), wanted)
            error[1] += abs(their_loss.item() - loss.item())
            assert all(p.dtype == torch.float32 for p in model.parameters() if p.requires_grad), "master weights stay"
            assert all(p.dtype == torch.bfloat16 for p in model.parameters() if not p.requires_grad)
        assert torch.isfinite(plain_loss(made[-1][0], inputs)), "the plain model works in the compute type"
    theirs, *ours = errors
    for way, error in zip(WAYS, ours, strict=True):
        assert error[0] < 2 * theirs[0], way
        assert error[1] < max(2 * theirs[1], 2e-3 * total), way  # half a unit of bf16: three losses say no more


def error_of_all(ours: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> float:
    """The 2-norm of the difference of all gradients, relative to that of the gradients."""
    differences, norms = (
        [float(part.norm()) ** 2 for part in parts]
        for parts in ([ours[name] - grad for name, grad in wanted.items()], list(wanted.values()))
    )
    return float((sum(differences) / sum(norms)) ** 0.5)


@pytest.mark.parametrize("kernels", KERNELS)
def test_dropout_has_the_same_distribution(kernels: str) -> None:
    """Mean and spread over seeds of the loss and of a gradient's norm; dropout is strong so that a wrong scale would show."""
    model = adapted("flan-t5", lora_dropout=0.4, target_modules=["q", "wo"]).train()
    inputs = batch(((12, 4), (5, 2)))
    packed = Packed.of(inputs)
    fast = fast_of(model, kernels=kernels)

    def draws(ours: bool) -> torch.Tensor:
        seen = []
        for seed in range(80):
            torch.manual_seed(seed + 1000 * ours)
            loss = fast.loss_sum(packed) if ours else plain_loss(model, inputs)
            norms = [grad.norm() for grad in gradients(model, loss).values()]
            seen.append(torch.stack([loss.detach(), torch.stack(norms).norm()]))
        return torch.stack(seen).double()

    ours, theirs = draws(True), draws(False)
    error = (ours.var(0) / len(ours) + theirs.var(0) / len(theirs)).sqrt()
    assert ((ours.mean(0) - theirs.mean(0)).abs() < 4 * error).all()
    assert ((ours.std(0) / theirs.std(0)) > 0.7).all()
    assert ((ours.std(0) / theirs.std(0)) < 1.4).all()
    torch.manual_seed(3)
    once = fast.loss_sum(packed)
    torch.manual_seed(3)
    assert torch.equal(once, fast.loss_sum(packed)), "the same seed must give the same loss"
    model.eval()
    assert fast.loss_sum(packed).item() == pytest.approx(plain_loss(model, inputs).item(), rel=1e-5)


def test_frozen_weights_exist_once() -> None:
    model = adapted("flan-t5")
    size = sum(p.numel() for p in {p.data_ptr(): p for p in model.parameters()}.values())
    fast_of(model)
    storages = {p.untyped_storage().data_ptr(): p.untyped_storage().nbytes() for p in model.parameters()}
    assert sum(storages.values()) == 4 * size


@pytest.mark.parametrize(
    ("lora", "reason"),
    [
        ({"use_dora": True}, "not Dora"),
        pytest.param(
            {"modules_to_save": ["lm_head"]},
            "weights beside LoRA's",
            marks=pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`:UserWarning:peft"),
        ),
        ({"bias": "lora_only", "target_modules": ["q_proj"]}, "weights beside LoRA's"),
        ({"target_modules": ["q", "shared"]}, "`shared`"),
        ({"lora_bias": True, "target_modules": ["q_proj"]}, "setting of peft"),
    ],
)
def test_what_is_not_claimed_takes_the_plain_path(lora: dict[str, Any], reason: str) -> None:
    family = "bart" if lora.get("target_modules") == ["q_proj"] else "flan-t5"
    choice = fast_path(adapted(family, **lora))
    assert choice.model is None
    assert choice.reason.startswith("plain path: ")
    assert reason in choice.reason


def test_other_reasons_for_the_plain_path() -> None:
    assert "fp16" in fast_path(adapted("bart"), torch.float16).reason
    other = get_peft_model(FAMILIES["flan-t5"](), IA3Config(task_type="SEQ_2_SEQ_LM"))
    assert "IA3" in fast_path(other).reason
    model = adapted("flan-t5")
    model.base_model.model.config.model_type = "longt5"
    assert "not longt5" in fast_path(model).reason
    for family, name in (("flan-t5", "dense_act_fn"), ("bart", "activation_function")):
        model = adapted(family)
        setattr(model.base_model.model.config, name, "quick_gelu")
        assert "not quick_gelu" in fast_path(model).reason
