"""The number type that a processor gets."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from diasum.model.hardware import bf16_support


def test_bf16_is_not_chosen_where_onednn_is_held_to_older_instructions() -> None:
    code = "from diasum.model.hardware import bf16_support; print(bf16_support('cpu'))"
    held = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", code], env=held, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize(("instructions", "expected"), [(True, "the CPU has AMX matrix units"), (False, None)])
def test_bf16_is_chosen_where_processor_and_onednn_have_it(
    instructions: bool, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: instructions, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr("diasum.model.hardware._onednn_has_bf16", lambda: True)
    assert bf16_support("cpu") == expected
