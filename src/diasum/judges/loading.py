"""Which judge a name stands for.

In: ``minilm``, a local folder or a hub id. Out: a judge. The base that diasum's own adapter was trained on is known by the hash of its
weights, wherever it lies; everything else is taken for what its configuration says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diasum.claims.judgement import Judge
from diasum.errors import DiasumError
from diasum.judges.tuned import BUNDLED, TunedJudge, bundled_base, may_be_its_base
from diasum.judges.windowed import WindowJudge, answering, classifying, concluding
from diasum.model.further import further_config, require_model
from diasum.model.weights import weights_hash

# What FactCG was trained to read, a question in the form of FLAN's; its labels have no names, so the model is known by its own.
_FACTCG = "factcg"


def load_judge(model: str | Path, device: str = "cpu") -> Judge:
    """The judge of this name.

    Args:
        model: ``minilm``, diasum's own adapter on the base from the hub; a folder or hub id of that base; a sequence classifier trained
            on NLI, one of whose labels contains "entail"; an encoder-decoder that answers 1 where a sentence is supported and 0 where it is
            not, as MiniCheck-FLAN-T5 does (Tang et al. 2024); or FactCG-DeBERTa-v3-Large (Lei et al. 2025), known by its name.
        device: where it runs.

    Raises:
        DiasumError: the model cannot be loaded, or is none of these.
    """
    source = bundled_base() if str(model) == BUNDLED else str(Path(model).expanduser())
    name = Path(source).resolve().name if Path(source).is_dir() else str(model)
    config = further_config(source)
    if may_be_its_base(config) and (tuned := TunedJudge.load(source, name=name, device=device)) is not None:
        return tuned
    if str(model) == BUNDLED:
        raise DiasumError(
            f"{source}, as it is here, has other weights than the judge was trained on.", hint="Name another judge."
        )
    classifies = any("SequenceClassification" in one for one in config.architectures or ())
    kind: Any = answering if config.is_encoder_decoder and not classifies else classifying
    if classifies and _FACTCG in str(model).lower():
        kind = concluding
    read = kind(source, device)
    return WindowJudge(name, weights_hash(source), read)


def require_judge(model: str | Path) -> None:
    """Fail before any work where a judge is not there.

    Raises:
        DiasumError: its configuration cannot be read.
    """
    try:
        require_model(bundled_base() if str(model) == BUNDLED else model)
    except DiasumError as error:
        if str(model) != BUNDLED:
            raise
        raise DiasumError(
            f"The judge {BUNDLED} needs the encoder {bundled_base()}, which cannot be had from the hub here.",
            hint="Copy it to this machine from where there is a network, and name its folder: check.judge=FOLDER.",
        ) from error
