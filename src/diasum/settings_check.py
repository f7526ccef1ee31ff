"""A tree of settings checked as a whole, with every problem at once; and all settings described, one per line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from diasum.config import LoraSettings, Settings
from diasum.errors import DiasumError, near_misses
from diasum.lora_fields import check_lora_fields


def check_settings(tree: Mapping[str, Any], where: str) -> Settings:
    """Validate a tree as a whole.

    Raises:
        DiasumError: listing every unknown key and wrong value with its path.
    """
    problems: list[str] = []
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        problems = [_problem(item) for item in error.errors()]
    lora = tree.get("lora")
    if isinstance(lora, Mapping):
        problems += check_lora_fields({k: v for k, v in lora.items() if k not in LoraSettings.model_fields})
    if problems or settings is None:
        listed = "\n".join(f"  {line}" for line in problems)
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        raise DiasumError(
            f"{count} in {where}:\n{listed}",
            hint="Correct them; `diasum config check FILE` checks again without loading anything.",
        )
    return settings


def _problem(item: Any) -> str:
    path = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        *section, name = item["loc"]
        same = " or ".join(f"`{other}.{name}`" for other in Settings.model_fields if name in _names((other,)))
        meant = f"Did you mean {same}?" if same else near_misses(str(name), _names(tuple(section)))
        return f"{path}: unknown setting. {meant}"
    suffix = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
    return f"{path}: {item['msg'].removeprefix('Value error, ')}{suffix}"


def _names(section: tuple[int | str, ...]) -> Iterable[str]:
    model: type[BaseModel] = Settings
    for part in section:
        annotation = model.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ()
        model = annotation
    return model.model_fields


def describe(model: type[BaseModel], prefix: str = "") -> str:
    """Every setting on a line of its own: path, default, what it does."""
    lines = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            lines.append("\n" + describe(field.annotation, f"{prefix}{name}."))
        else:
            default = (
                yaml.safe_dump(field.get_default(call_default_factory=True), default_flow_style=True)
                .removesuffix("...\n")
                .strip()
            )
            lines.append(f"{prefix}{name} = {default}\n    {field.description}\n")
    return "".join(lines)
