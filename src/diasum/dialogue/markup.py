"""HTML, as helpdesks and mail programs keep messages, to the words that a reader of it sees."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_TAG = re.compile(
    r"<(?:br|hr|img)\b[^<>]*>"
    r"|</(?:p|div|span|a|li|ul|ol|td|tr|table|b|i|u|em|strong|h[1-6]|body|html|blockquote|font|pre)\s*>",
    re.I,
)
_BREAKS = frozenset(
    (
        *(
            "br",
            "p",
            "div",
            "li",
            "tr",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "blockquote",
            "table",
            "ul",
            "ol",
            "pre",
        ),
    )
)
_HIDDEN = frozenset(("script", "style", "head", "title", "template"))
_QUOTES = frozenset(("gmail_quote", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote"))


def is_html(text: str) -> bool:
    """Whether a text has tags that only HTML has."""
    return "<" in text and _TAG.search(text) is not None


def text_of_html(html: str) -> str:
    """The words with line breaks where blocks end; quoted text has ``> `` before its lines, as in plain mail."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    return parser.text()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[str]] = [[]]
        self.depths = [0]
        self.hidden = 0
        self.quoted: list[str] = []  # open blocks within the outermost quote

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in _HIDDEN
        classes = next((value or "" for name, value in attrs if name == "class"), "").split()
        if (
            tag == "blockquote"
            or (tag == "div" and not _QUOTES.isdisjoint(classes))
            or (self.quoted and tag == self.quoted[0])
        ):
            self.quoted.append(tag)
        if tag in _BREAKS:
            self._break()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self.hidden:
            self.hidden -= 1
        if self.quoted and tag == self.quoted[-1]:
            self._break()
            self.quoted.pop()
        if tag in _BREAKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.lines[-1].append(re.sub(r"\s+", " ", data))
            self.depths[-1] = bool(self.quoted)

    def _break(self) -> None:
        self.lines.append([])
        self.depths.append(0)

    def text(self) -> str:
        texts = ["".join(parts).strip() for parts in self.lines]
        quoted = [f"> {text}" if depth and text else text for text, depth in zip(texts, self.depths, strict=True)]
        return "\n".join(text for text in quoted if text)
