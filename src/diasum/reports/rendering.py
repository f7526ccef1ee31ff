"""Templates to text: HTML with everything escaped, Markdown with what Markdown would read as markup escaped."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "templates"
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~$])")


def render(template: str, /, **values: Any) -> str:
    """Fill ``templates/TEMPLATE.j2``; a value that the template names and that is not given is an error."""
    return _environment().get_template(f"{template}.j2").render(**values)


def script_json(value: Any) -> Markup:
    """JSON that may stand in a ``<script>``: no character in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escaped in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e"), ("\u2028", "\\u2028")):
        text = text.replace(character, escaped)
    return Markup(text.replace("\u2029", "\\u2029"))


def points(value: float | None, digits: int = 1) -> str:
    """A figure for a table; a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def signed(value: float, digits: int = 1) -> str:
    """A difference with its sign; one that rounds to nothing has none."""
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


def percent(value: float | None, digits: int = 1) -> str:
    """A share 0..1 as per cent."""
    return "–" if value is None or value != value else f"{100 * value:.{digits}f}%"


def code(text: str) -> Markup:
    """Text in which names stand between backticks, as messages in the terminal have them, with these set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def pvalue(value: float) -> str:
    """A p-value; very small ones as a bound."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def markdown(text: object) -> str:
    """Text on one line that Markdown shows as it is, in tables, too."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith((".html", ".html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "points": points,
        "signed": signed,
        "percent": percent,
        "pvalue": pvalue,
        "code": code,
        "md": markdown,
        "script_json": script_json,
    }
    environment.globals["include_raw"] = lambda name: Markup((TEMPLATES / name).read_text(encoding="utf-8"))
    return environment
