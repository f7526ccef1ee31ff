"""How the libraries that do the work are loaded: what must be set before, and what must not be loaded along with them."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The OpenMP libraries read these once, when torch is loaded.
_WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
_QUANTIZER = "bitsandbytes"
_ASKED_ONCE = {
    "peft.import_utils": ("is_bnb_available", "is_bnb_4bit_available"),
    "transformers.utils.import_utils": ("is_bitsandbytes_available",),
}
_LOADING = threading.RLock()
_waits_busily = False


def wait_passively() -> None:
    """Let torch's threads sleep while they wait for each other, unless the user chose otherwise; to be called before torch is loaded.

    Waiting busily, which is the default, they lose most of their time where another program wants a core. Child processes inherit it.
    """
    global _waits_busily
    if any(name in os.environ for name in _WAITING):
        return
    _waits_busily = "torch" in sys.modules
    os.environ["OMP_WAIT_POLICY"] = "passive"


def waiting_reason() -> str | None:
    """Why torch's threads wait busily, and what to do; None where they do not, or the user chose it."""
    if not _waits_busily:
        return None
    return (
        "waiting threads keep their cores busy, which makes this slow beside other programs: torch was imported before diasum "
        "(import diasum first, or set OMP_WAIT_POLICY=passive)"
    )


@contextmanager
def without_bitsandbytes() -> Iterator[None]:
    """Within this context, other libraries find no bitsandbytes, unless something has loaded it already, as a quantised base does.

    peft loads it wherever it is installed, which takes seconds and on some processors logs a warning, though only a quantised base
    needs it. Afterwards it can be found again.
    """
    with _LOADING:
        if sys.modules.get(_QUANTIZER) is not None:
            yield
            return
        nested = _QUANTIZER in sys.modules
        sys.modules[_QUANTIZER] = None  # type: ignore[assignment]  # an import of it fails now
        _ask_again()
        try:
            yield
        finally:
            if not nested:
                del sys.modules[_QUANTIZER]
                _ask_again()


def load_torch() -> None:
    """Import torch without a search for garbage: what an import makes stays."""
    if "torch" in sys.modules:
        return
    searches = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401
    finally:
        if searches:
            gc.enable()


def load_peft() -> None:
    """Import peft, on which much of transformers depends, without bitsandbytes."""
    if "peft" not in sys.modules:
        with without_bitsandbytes():
            import peft  # noqa: F401


def _ask_again() -> None:
    """peft and transformers keep their answers to whether bitsandbytes is there."""
    for module, questions in _ASKED_ONCE.items():
        for question in questions if module in sys.modules else ():
            getattr(sys.modules[module], question).cache_clear()
