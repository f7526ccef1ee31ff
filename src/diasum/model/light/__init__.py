"""A model from its files alone: what `torch-fast` and `ct2` need, in a fraction of the time that importing transformers takes.

In: the folder of a T5 or BART, and of a LoRA adapter. Out: a `LightModel`, or None for whatever is not exactly as these modules know it;
then transformers and peft load it, which also say what is wrong with it. So nothing passes here that they would refuse, and tests hold
every tensor and token equal to theirs.
"""

from diasum.model.light.model import LightModel, read_light
from diasum.model.light.tokenizer import LightTokenizer

__all__ = ["LightModel", "LightTokenizer", "read_light"]
