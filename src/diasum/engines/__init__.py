"""What generates: engines behind one protocol, each with what it can do, and the choice among them."""

from diasum.engines.base import Engine, Generated
from diasum.engines.choice import Choice, choose_engine, generate, torch_engines

__all__ = ["Choice", "Engine", "Generated", "choose_engine", "generate", "torch_engines"]
