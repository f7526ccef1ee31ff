"""Standard output that tells its own errors from others: the operating system names no file in them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from diasum.errors import DiasumError


@contextlib.contextmanager
def named_output() -> Iterator[None]:
    """Within it, a refusal to write standard output is a `DiasumError`, even where the refused text waited in a buffer until the end."""
    stream = sys.stdout
    if stream is None:  # closed by whoever started us
        yield
        return
    output: Any = _Output(stream)
    sys.stdout = output
    try:
        yield
    finally:
        sys.stdout = stream
        try:
            output.flush()
        except BaseException:
            with contextlib.suppress(OSError):
                stream.close()  # or Python would try once more when it ends
            raise


class _Output:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._named():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._named():
            self._stream.flush()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:  # whoever reads has had enough
            raise
        except OSError as error:
            raise DiasumError(
                f"Cannot write to standard output: {error.strerror}.",
                hint="Check the file or program that receives it.",
            ) from error
