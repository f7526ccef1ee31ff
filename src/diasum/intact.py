"""Whether a file that was written whole can still be read: a full disk, a broken copy or a sync may have cut it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path


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
    except Exception as error:  # each of the formats has errors of its own kinds for a damaged file
        return str(error) or type(error).__name__
    return None
