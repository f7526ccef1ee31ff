"""A model grown deeper and wider: predictions stay, and what is new learns."""

from __future__ import annotations

import pytest
import torch

from pretraining.grow import grow
from pretraining.model import Shape, build_model

SHAPE = Shape(vocab_size=100, d_model=32, d_ff=24, d_kv=8, num_heads=3, encoder_layers=2, decoder_layers=2)


@pytest.mark.parametrize(("d_ff", "layers"), [(24, 1), (40, 0), (41, 2)])
def test_a_grown_model_predicts_the_same(d_ff: int, layers: int) -> None:
    model = build_model(SHAPE).eval()
    grown = grow(model, d_ff=d_ff, layers=layers).eval()
    ids = torch.randint(3, 100, (2, 17))
    with torch.no_grad():
        before, after = (m(input_ids=ids, labels=ids[:, :9].contiguous()).logits for m in (model, grown))
    assert len(grown.encoder.block) == len(grown.decoder.block) == 2 + layers
    assert grown.decoder.block[-1].layer[2].DenseReluDense.wo.weight.shape == (32, d_ff)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_the_two_of_a_pair_part_at_the_first_step() -> None:
    grown = grow(build_model(SHAPE), d_ff=40, layers=1)
    grown(input_ids=torch.randint(3, 100, (2, 17)), labels=torch.randint(3, 100, (2, 9))).loss.backward()
    inner = grown.encoder.block[0].layer[1].DenseReluDense
    attention = grown.decoder.block[-1].layer[1].EncDecAttention
    for weight, known, half in ((inner.wi_0.weight, 24, 8), (inner.wi_1.weight, 24, 8), (attention.v.weight, 8, 4)):
        first, second = weight[known : known + half], weight[known + half : known + 2 * half]
        assert torch.equal(first, second)
        gradients = (weight.grad[known : known + half], weight.grad[known + half : known + 2 * half])
        assert float(gradients[0].abs().min()) > 0
        torch.testing.assert_close(gradients[0], -gradients[1])


def test_a_model_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="at least 24 units"):
        grow(build_model(SHAPE), d_ff=16, layers=0)
