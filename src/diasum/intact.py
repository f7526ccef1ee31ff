"""Whether a file that was written whole can still be read: a full disk, a broken copy or a sync may have cut it."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path

# What json and zipfile raise for damaged files. No wider: a warning made an error, say, says nothing of a file.
_UNREADABLE = (
    *(ValueError, RecursionError),
    *(zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, RuntimeError, OverflowError),
)


def damage(file: Path) -> str | None:
    """What is wrong with a file of the kind that its ending says: json (an object), safetensors, torch's pt and pth.

    Returns:
        A few words, or None where it can be read. Of weights only the header is read: it tells how long the file must be.
    """
    try:
        if file.suffix == ".json":
            if not isinstance(json.loads(file.read_text(encoding="utf-8")), dict):
                return "expected a JSON object"
        elif file.suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(file, "np"):
                pass
        elif file.suffix in (".pt", ".pth"):
            with zipfile.ZipFile(file) as archive:
                if (name := archive.testzip()) is not None:
                    return f"the checksum of {name} in it is wrong"
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return error.strerror or str(error)
    except _UNREADABLE as error:
        return str(error) or type(error).__name__
    except Exception as error:
        if type(error).__name__ != "SafetensorError":  # of a library that need not be loaded for the others
            raise
        return str(error)
    return None
