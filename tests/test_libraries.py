"""How other libraries are loaded: threads that sleep while they wait, and bitsandbytes only where something is quantised."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

from diasum import libraries
from diasum.libraries import without_bitsandbytes

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


@pytest.mark.parametrize(
    ("before", "environment", "policy", "told"),
    [
        ("", {}, "passive", False),
        ("sys.modules['torch'] = None; ", {}, "passive", True),
        ("", {"OMP_WAIT_POLICY": "active"}, "active", False),
        ("sys.modules['torch'] = None; ", {"OMP_WAIT_POLICY": "active"}, "active", False),
        ("sys.modules['torch'] = None; ", {"GOMP_SPINCOUNT": "0"}, None, False),
    ],
)
def test_importing_diasum_lets_threads_sleep_or_says_that_it_is_too_late(
    before: str, environment: dict[str, str], policy: str | None, told: bool
) -> None:
    """What torch's OpenMP library read when it was loaded cannot be changed; nothing is printed at the import, and torch is not loaded."""
    code = (
        f"import os, sys; {before}import diasum\n"
        "from diasum.libraries import waiting_reason\n"
        "assert not sys.modules.get('torch')\n"
        "print(os.environ.get('OMP_WAIT_POLICY'), waiting_reason())"
    )
    others = {name: value for name, value in os.environ.items() if name not in WAITING}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**others, **environment}, capture_output=True, text=True, check=True
    )
    found, reason = done.stdout.strip().split(" ", 1)
    assert found == str(policy)
    assert (reason != "None") == told
    assert not told or "torch was imported before diasum" in reason
    assert done.stderr == ""


def test_threads_that_wait_busily_are_among_the_recorded_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    from diasum.model import choose_hardware, describe_machine

    monkeypatch.setattr(libraries, "_waits_busily", True)
    assert "import diasum first" in choose_hardware("cpu", "fp32").reasons["waiting"]
    assert "import diasum first" in describe_machine()["waiting"]
    monkeypatch.setattr(libraries, "_waits_busily", False)
    assert "waiting" not in choose_hardware("cpu", "fp32").reasons
    assert "waiting" not in describe_machine()


def test_bitsandbytes_is_hidden_for_as_long_as_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from peft.import_utils import is_bnb_available

    (folder := tmp_path / "bitsandbytes").mkdir()  # type: ignore[operator]
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "bitsandbytes", raising=False)
    is_bnb_available.cache_clear()
    assert is_bnb_available()
    with without_bitsandbytes(), without_bitsandbytes():
        assert not is_bnb_available()
        assert importlib.util.find_spec("bitsandbytes") is None
        with pytest.raises(ImportError):
            import bitsandbytes  # noqa: F401
    assert is_bnb_available()
    monkeypatch.setitem(sys.modules, "bitsandbytes", sys)  # loaded, as a quantised base does
    with without_bitsandbytes():
        assert sys.modules["bitsandbytes"] is sys
