"""Kernels compiled for the machine's CPU, where it has a compiler.

Compiling takes some seconds, once per machine, version and number type: the library is kept in the user's cache folder. Without a
compiler the same is computed by torch.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import torch

from diasum.errors import DiasumError
from diasum.model.fast.compiled import UNITS, CompiledKernels
from diasum.model.fast.kernels import Kernels
from diasum.model.hardware import cpu_flags, processor

_SOURCES = Path(__file__).with_name("native")
# No fast-math: infinities and NaN must come through, since training stops at the first loss that is not finite.
_FLAGS = ("-O3", "-march=native", "-std=c++17", "-fPIC", "-fopenmp", "-fno-math-errno", "-fno-trapping-math")
_COMPILE_SECONDS = 120  # more than any machine needs; a compiler that hangs must not hang the training


def choose_kernels(asked: str, device: str, dtype: torch.dtype) -> tuple[Kernels, str]:
    """Compiled kernels where they can be had, else torch's, and why, as a clause; empty where that goes without saying.

    Args:
        asked: `train.kernels`: auto, on or off.
        device: where the model is.
        dtype: the type of its rows.

    Raises:
        DiasumError: kernels were asked for (`on`) and are not available.
    """
    if device != "cpu" and asked == "on":
        raise DiasumError(
            f"train.kernels is on, but they are for CPUs; the device is {device}.", hint="Use train.kernels=auto."
        )
    if device != "cpu" or dtype not in (torch.float32, torch.bfloat16) or asked == "off":
        return Kernels(), ""
    kernels, reason = compiled(dtype)
    if kernels is None and asked == "on":
        raise DiasumError(
            f"train.kernels is on, but they are not available: {reason}.",
            hint="Install g++ (Debian and Ubuntu: apt install g++), or set train.kernels=auto.",
        )
    return (kernels, reason) if kernels else (Kernels(), f"work between matrix products by torch: {reason}")


@cache
def compiled(dtype: torch.dtype) -> tuple[CompiledKernels | None, str]:
    """The kernels for rows of that type, compiled if that was not done before, or None; and a clause that says why (not)."""
    if sys.platform != "linux":
        return None, "its kernels are compiled on Linux only"
    compiler = _compiler()
    name = compiler[0]
    if shutil.which(name) is None:
        return None, f"there is no {name} to compile its kernels"
    try:
        path = _library(compiler, dtype)
        kernels = CompiledKernels(ctypes.CDLL(str(path)), dtype)
        attention = f", attention by {UNITS[kernels.unit]}" if kernels.unit else ""
        return kernels, f"work between matrix products by compiled kernels{attention}"
    except subprocess.TimeoutExpired:
        return None, f"{name} took over {_COMPILE_SECONDS} s for its kernels"
    except subprocess.CalledProcessError as error:
        return None, f"{name} could not compile its kernels ({_first_line(error.stderr)})"
    except (OSError, AttributeError) as error:
        return None, f"its compiled kernels could not be loaded ({error})"


def compiled_before(dtype: torch.dtype) -> CompiledKernels | None:
    """As `compiled`, but only if nothing has to be compiled for it."""
    if sys.platform != "linux":
        return None
    try:
        there = _is_intact(*_library_files(_compile_command(_compiler(), dtype)))
    except OSError:
        return None
    return compiled(dtype)[0] if there else None


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CXX", "")) or ["g++"]


def _library(compiler: list[str], dtype: torch.dtype) -> Path:
    """The compiled library's path in the cache folder, with a checksum next to it."""
    compile = _compile_command(compiler, dtype)
    library, checksum = _library_files(compile)
    if not _is_intact(library, checksum):
        name, sources = library.name, sorted(_SOURCES.glob("*.cpp"))
        with tempfile.TemporaryDirectory(dir=library.parent, prefix="compiling-") as scratch:
            built, digest = Path(scratch, name), Path(scratch, "digest")
            objects = [str(Path(scratch, path.stem)) + ".o" for path in sources]
            with ThreadPoolExecutor() as pool:
                commands = [[*compile, "-c", str(p), "-o", code] for p, code in zip(sources, objects, strict=True)]
                list(pool.map(_run, commands))
            _run([*compiler, "-shared", *objects, _openmp_of_torch(), "-o", str(built)])
            digest.write_bytes(_digest(built))
            built.replace(library)
            digest.replace(checksum)
    return library


def _compile_command(compiler: list[str], dtype: torch.dtype) -> list[str]:
    return [*compiler, *_FLAGS, *(["-DDIASUM_BF16"] if dtype == torch.bfloat16 else [])]


def _library_files(compile: list[str]) -> tuple[Path, Path]:
    """Where the library of these sources, made by this command on such a processor, is or will be, and its checksum."""
    texts = [path.read_text(encoding="utf-8") for path in (*sorted(_SOURCES.glob("*.cpp")), *_SOURCES.glob("*.h"))]
    inputs = [*texts, *compile, _openmp_of_torch(), processor(), cpu_flags()]
    library = _cache_folder() / f"kernels-{hashlib.sha256(chr(0).join(inputs).encode()).hexdigest()[:32]}.so"
    return library, library.with_suffix(".sha256")


def _is_intact(library: Path, checksum: Path) -> bool:
    """Loading a library that a full disk or a sync cut short would kill the process."""
    return library.is_file() and checksum.is_file() and checksum.read_bytes() == _digest(library)


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).hexdigest().encode()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, errors="replace", timeout=_COMPILE_SECONDS)


def _openmp_of_torch() -> str:
    """What to link with: torch's own copy of GCC's OpenMP library, since two of them would have twice the threads."""
    package = Path(torch.__file__).parent
    for folder in (package / "lib", package.parent / "torch.libs"):
        for path in sorted(folder.glob("libgomp*.so*")):
            return str(path)
    return "-lgomp"


def _cache_folder() -> Path:
    """A folder that only this user can write, since code is loaded from it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "diasum"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = folder.stat()
        if (
            mine.st_uid == os.getuid()
            and not mine.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            and os.access(folder, os.W_OK)
        ):
            return folder
    except (OSError, RuntimeError):
        pass  # a home that is read-only, or none at all
    return _scratch_folder()


@cache
def _scratch_folder() -> Path:
    """One for this process only."""
    folder = Path(tempfile.mkdtemp(prefix="diasum-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")[:200]
