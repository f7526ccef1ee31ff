"""Ask once whether the Hugging Face hub can be reached, so that a user without network does not wait for half a minute of retries.

Called before anything is looked up on the hub. Where it does not answer, its client's own offline mode is switched on for the rest of
the process: cached copies are then found, and their absence is reported, at once.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

SECONDS = 5.0  # more than a working connection needs to answer a request for headers


def may_be_id(name: str) -> bool:
    """Whether a name has the form ``owner/name`` that models and data sets have on the hub; a local path may have it, too."""
    return re.fullmatch(r"[\w.\-]+/[\w.\-]+", name) is not None


@lru_cache(maxsize=1)
def offline() -> bool:
    """Whether the hub is out of reach or offline mode is on (``HF_HUB_OFFLINE=1``: then nothing is asked)."""
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        return True
    try:
        get_session().head(constants.ENDPOINT, timeout=SECONDS)
    except Exception:  # whichever HTTP library the client uses
        constants.HF_HUB_OFFLINE = True
        os.environ["HF_HUB_OFFLINE"] = "1"  # peft and subprocesses look here
        return True
    return False
