"""E-mail addresses, IP addresses, and links that let whoever has them in; written as computers write them, or as people disguise them.

Whether a link gives access is told by its form alone: a password before the host, a parameter that is named like a secret, or a part
that looks drawn by lot (RFC 3986 for the parts). IP addresses are checked by the standard library's `ipaddress`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import SplitResult, parse_qsl, urlsplit

from diasum.redaction.spans import Said, Span, last_end

_LETTER = "A-Za-z0-9\u00c0-\u024f\u0400-\u04ff"  # not \w: Chinese, Japanese and Korean put no space before an address
_EMAIL = re.compile(
    rf"(?<![{_LETTER}_.+-])[{_LETTER}_](?:[{_LETTER}_!#$%&'*+=?^`{{|}}~.-]{{0,62}}[{_LETTER}_+~-])?"
    rf"@(?:[{_LETTER}](?:[{_LETTER}-]{{0,61}}[{_LETTER}])?\.){{1,8}}[A-Za-z\u00c0-\u024f\u0400-\u04ff]{{2,24}}(?![{_LETTER}_@])"
)
_DOT = r"(?:dot|punkt|punto|point|ponto|punt|\.)"
_DISGUISED = re.compile(
    rf"(?<![{_LETTER}_.+-])[{_LETTER}_][{_LETTER}_.+-]{{0,63}}\s*[(\[{{]\s*(?:at|@|ät|arroba)\s*[)\]}}]\s*"
    rf"[{_LETTER}-]{{1,63}}(?:\s*(?:[(\[{{]\s*{_DOT}\s*[)\]}}]|\.)\s*[{_LETTER}-]{{1,63}}){{1,8}}",
    re.I,
)
_IPV4 = re.compile(r"(?<![A-Za-z0-9_.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![A-Za-z0-9_]|\.\d)")
_IPV6 = re.compile(
    r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]{0,15}(?:%[0-9A-Za-z]+)?(?:/\d{1,3})?(?![0-9A-Za-z:])"
)
_VERSION = re.compile(
    r"\b(?:versions?|ver|firmware|releases?|builds?|software|drivers?|treiber|updates?|upgrades?|downgrade|patch|kernel|chrome|firefox|"
    r"safari|edge|android|ios|sections?|chapters?|clauses?|paragraphs?|articles?|abschnitt|kapitel|versión|versione|versão|wersja|"
    r"версия|отдел|раздел)\b|バージョン|版本|버전",
    re.I,
)
_NETWORK = re.compile(
    r"\b(?:ip|ips|ipv4|ipv6|servers?|hosts?|router|ping|dns|gateway|ssh|subnet|vpn|adresse?|address|login|connect\w*)\b",
    re.I,
)
_URL = re.compile(r"(?<![A-Za-z0-9])(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"'“”«»，。、]+", re.I)
_SECRET_KEY = re.compile(
    r"(?:^|[_.-])(?:\w*token|\w*key|sig|signature|auth\w*|pwd|passw\w*|pass|secret|session\w*|sid|jwt|code|otp|access\w*|invite\w*|hash|"
    r"ticket|credential\w*|nonce|sso|saml\w*|e?mail)$",
    re.I,
)
_AFTER_HASH = frozenset(("commit", "commits", "blob", "tree", "raw", "blame"))  # a commit's hash is no secret
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+")


def emails(said: Said) -> Iterator[Span]:
    """Addresses with their sign, or with ``(at)`` and ``[dot]`` for it."""
    for pattern in (_EMAIL, _DISGUISED):
        for match in pattern.finditer(said.text):
            yield Span(match.start(), match.end(), "email")


def ip_addresses(said: Said) -> Iterator[Span]:
    """Of both versions, with a length of network; four numbers after a word such as "version" are none."""
    text = said.text
    for match in _IPV4.finditer(text):
        ahead = text[: match.start()]
        if last_end(_VERSION, ahead) <= last_end(_NETWORK, ahead) and _is_address(match[0]):
            yield Span(match.start(), match.end(), "ip")
    for match in _IPV6.finditer(text):
        written = match[0].rstrip(".")
        if re.search(r"\d", written) and _is_address(written):
            yield Span(match.start(), match.start() + len(written), "ip")


def _is_address(written: str) -> bool:
    try:
        ipaddress.ip_interface(written)
    except ValueError:
        return False
    return True


def links(said: Said) -> Iterator[Span]:
    """Links that hold a token, password or other secret."""
    for match in _URL.finditer(said.text):
        link = match[0].rstrip(".,;:!?")
        if link.endswith(")") and "(" not in link:
            link = link.rstrip(").,;:!?")
        if _gives_access(link):
            yield Span(match.start(), match.start() + len(link), "url")


def _gives_access(link: str) -> bool:
    try:
        parts = urlsplit(link if "://" in link else f"//{link}")
        password = parts.password
    except ValueError:  # such as an IPv6 address without its end
        return False
    if password:
        return True
    if _JWT.search(link):
        return True
    return _has_secret_parameter(parts) or _has_secret_segment(parts.path)


def _has_secret_parameter(parts: SplitResult) -> bool:
    for name, value in [*parse_qsl(parts.query), *parse_qsl(parts.fragment)]:
        if _SECRET_KEY.search(name) and len(value) >= 6 and re.search(r"[\d@]|\w{12}", value):
            return True
        if len(value) >= 20 and _is_random(value):
            return True
    return False


def _has_secret_segment(path: str) -> bool:
    before = ""
    for segment in path.split("/"):
        if before.lower() not in _AFTER_HASH and (
            _UUID.search(segment) or any(map(_is_random, re.split(r"[-_.]", segment)))
        ):
            return True
        before = segment
    return False


def _is_random(piece: str) -> bool:
    """Ten letters and digits or more that change kind at least three times, as no word or number does."""
    if len(piece) < 10 or not re.fullmatch(r"[A-Za-z0-9%+=]+", piece):
        return False
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in piece]
    changes = sum(a != b for a, b in pairwise(kinds))
    return "d" in kinds and changes >= 3
