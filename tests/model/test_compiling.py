"""The kernels' library: compiled once for a machine, checked before it is loaded, and done without where it cannot be had."""

from __future__ import annotations

import platform
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from diasum.errors import DiasumError
from diasum.model.fast import compiling as module
from diasum.model.fast.compiled import CompiledKernels
from diasum.model.fast.compiling import choose_kernels, compiled
from diasum.model.fast.kernels import Kernels
from tests.model.test_kernels import needs_compiler


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A cache folder of its own, and nothing remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiled.cache_clear()
    yield tmp_path / "cache" / "diasum"
    compiled.cache_clear()


def compiler(folder: Path, script: str) -> str:
    path = folder / "my-compiler"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@needs_compiler
def test_compiled_once_for_a_machine(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_kernels("auto", "cpu", torch.float32)[1] == "work between matrix products by compiled kernels"
    made = sorted(fresh.iterdir())
    assert [path.suffix for path in made] == [".sha256", ".so"]
    assert not fresh.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    monkeypatch.setattr(module, "_run", lambda command: pytest.fail("compiled again"))
    compiled.cache_clear()
    assert isinstance(choose_kernels("on", "cpu", torch.float32)[0], CompiledKernels)
    assert sorted(fresh.iterdir()) == made


def cut(library: Path, checksum: Path) -> None:
    library.write_bytes(library.read_bytes()[:5_000])


def emptied(library: Path, checksum: Path) -> None:
    library.write_bytes(b"")


def without_checksum(library: Path, checksum: Path) -> None:
    """As an earlier version, or a process that was killed between the two, leaves it."""
    checksum.unlink()


def other_checksum(library: Path, checksum: Path) -> None:
    checksum.write_bytes(b"\xe4" * 64)


@pytest.mark.parametrize("damage", [cut, emptied, without_checksum, other_checksum])
def test_a_library_that_is_not_whole_is_compiled_again(
    damage: Callable[[Path, Path], None], fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading what is left of one kills the process with a bus error."""
    commands: list[list[str]] = []

    def compile(command: list[str]) -> None:
        commands.append(command)
        Path(command[-1]).write_bytes(b"code" * 25_000)

    monkeypatch.setattr(module, "_run", compile)
    library = module._library(["g++"], torch.float32)
    (checksum,) = fresh.glob("*.sha256")
    whole, right = library.read_bytes(), checksum.read_bytes()
    commands.clear()
    assert module._library(["g++"], torch.float32) == library
    assert not commands
    damage(library, checksum)
    assert module._library(["g++"], torch.float32) == library
    assert commands
    assert (library.read_bytes(), checksum.read_bytes()) == (whole, right)
    assert {path.suffix for path in fresh.iterdir()} == {".so", ".sha256"}


@needs_compiler
@pytest.mark.parametrize(
    ("target", "define"),
    [
        ("sapphirerapids", ["-DDIASUM_BF16"]),
        ("cooperlake", ["-DDIASUM_BF16"]),
        ("skylake-avx512", []),
        ("x86-64", []),
    ],
)
def test_compiles_for_other_processors(target: str, define: list[str], tmp_path: Path) -> None:
    """With a matrix unit, bf16 vectors, vectors of each width: what this machine cannot run must at least compile."""
    known = ["g++", f"-march={target}", "-x", "c++", "-E", "-"]
    if platform.machine() != "x86_64" or subprocess.run(known, input=b"", capture_output=True).returncode:
        pytest.skip(f"this g++ does not know {target}")
    flags = [*(flag for flag in module._FLAGS if not flag.startswith(("-O", "-march"))), "-O0", f"-march={target}"]
    for source in sorted(module._SOURCES.glob("*.cpp")):
        command = ["g++", *flags, *define, "-Wall", "-Werror", "-c", str(source), "-o", str(tmp_path / "made.o")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@needs_compiler
def test_no_code_is_loaded_from_a_folder_that_others_can_write(fresh: Path) -> None:
    fresh.mkdir(parents=True)
    fresh.chmod(0o777)
    assert isinstance(choose_kernels("on", "cpu", torch.float32)[0], CompiledKernels), "a folder of this process does"
    assert list(fresh.iterdir()) == []


@needs_compiler
def test_a_home_that_is_a_file(fresh: Path) -> None:
    fresh.parent.write_text("")
    assert isinstance(choose_kernels("on", "cpu", torch.float32)[0], CompiledKernels)


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "there is no no-such-compiler"),
        ("echo 'error: no such march' >&2; exit 1", "could not compile its kernels (error: no such march)"),
        ('while [ "$1" != -o ]; do shift; done; echo junk > "$2"', "could not be loaded"),
        ("exec sleep 60", "took over 0.3 s"),
    ],
)
def test_without_a_compiler_torch_does_it(
    script: str | None, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_COMPILE_SECONDS", 0.3)
    monkeypatch.setenv("CXX", compiler(tmp_path, script) if script else "no-such-compiler -O1")
    kernels, said = choose_kernels("auto", "cpu", torch.float32)
    assert type(kernels) is Kernels
    assert said.startswith("work between matrix products by torch: ")
    assert reason in said
    with pytest.raises(DiasumError, match=r"train\.kernels is on") as caught:
        choose_kernels("on", "cpu", torch.float32)
    assert "g++" in str(caught.value.hint)


def test_kernels_are_for_cpus() -> None:
    with pytest.raises(DiasumError, match=r"train\.kernels is on, but they are for CPUs; the device is cuda"):
        choose_kernels("on", "cuda", torch.bfloat16)


@pytest.mark.parametrize(
    ("asked", "device", "dtype"), [("off", "cpu", torch.float32), ("auto", "cuda", torch.bfloat16)]
)
def test_where_there_is_nothing_to_say(asked: str, device: str, dtype: torch.dtype) -> None:
    kernels, said = choose_kernels(asked, device, dtype)
    assert (type(kernels), said) == (Kernels, "")
