"""Hardware, base models and adapters."""

from diasum.model.adapters import ParameterCount, add_adapter, count_parameters, linear_modules, without_dropout
from diasum.model.hardware import Hardware, choose_hardware, describe_machine, generation_dtype, threads
from diasum.model.limits import free_bytes, memory_bytes
from diasum.model.loading import (
    BUNDLED,
    Base,
    base_name,
    bundled_base,
    load_base,
    load_config,
    position_limits,
    resolve_base,
)
from diasum.model.memory import is_out_of_memory, keep_freed_memory, release_memory
from diasum.model.new_adapter_checks import untied
from diasum.model.special_tokens import decoder_start, special_tokens
from diasum.model.weights import weights_hash

__all__ = [
    "BUNDLED",
    "Base",
    "Hardware",
    "ParameterCount",
    "add_adapter",
    "base_name",
    "bundled_base",
    "choose_hardware",
    "count_parameters",
    "decoder_start",
    "describe_machine",
    "free_bytes",
    "generation_dtype",
    "is_out_of_memory",
    "keep_freed_memory",
    "linear_modules",
    "load_base",
    "load_config",
    "memory_bytes",
    "position_limits",
    "release_memory",
    "resolve_base",
    "special_tokens",
    "threads",
    "untied",
    "weights_hash",
    "without_dropout",
]
