"""Postal addresses: a street with a number, and the flat, town and postcode that follow it.

A street alone ("on Oxford Street") is where people meet, and stays. Forms: English, German, French, Spanish, Italian, Portuguese, Dutch,
Polish; elsewhere addresses are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diasum.redaction.spans import Said, Span

_UP = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ"
_W = rf"[{_UP}][\w'’.-]{{0,40}}"  # a word with a capital; a hyphen is within it, so that a text is read in one way only
_NO = r"\d{1,5}(?:\s?[a-zA-Z](?![\w'’]))?(?:[/-]\d{1,4}[a-zA-Z]?)?"
_ROAD = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Gardens|Gdns|Close|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Crescent|Cres|Boulevard|Blvd|"
    r"Hill|Row|Mews|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Grove|Walk|Quay|Parade|Trail|Rise|Green|Common|Expressway|Alley|Plaza)\b\.?"
)
_FLAT = r"(?:(?:Flat|Apt|Apartment|Unit|Suite|Ste)\.?\s?#?\d+[A-Za-z]?|\#\s?(?:\d+[A-Za-z]?|[A-Z]\d*\b))"
_TOWN = rf"{_W}(?: (?:{_W}|upon|on|sur|la|le|de|del|den|am|an der|do|da)){{0,4}}"
_UK = r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"
_IE = r"[A-Z]\d[\dW]\s?[A-Z\d]{4}"
_CA = r"[A-Z]\d[A-Z]\s?\d[A-Z]\d"
_US = r"[A-Z]{2}\.?\s+\d{5}(?:-\d{4})?"
_AU = r"(?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT)\s+\d{4}"
_CODE = rf"(?:{_US}|{_AU}|(?:[A-Z]{{2}}\s+)?{_CA}|{_UK}|{_IE}|\d{{4,5}})"
_QUARTER = r"(?:\s+(?:North|South|East|West|Northeast|Northwest|Southeast|Southwest|NE|NW|SE|SW|N|S|E|W)\b)?"
_ENGLISH_END = (
    rf"(?:,?\s+{_FLAT})?(?:,\s*{_TOWN}(?:,\s*{_TOWN})?(?:,?\s+{_CODE}|,\s*[A-Z]{{2}}\b)(?:,\s*(?:United States|USA|Australia|Canada))?"
    rf"|,\s*{_UK})?"
)
_POST = r"(?:(?:[A-Z]{1,2}-)?\d{4,5}(?:-\d{3})?|\d{2}-\d{3}|\d{4}\s?[A-Z]{2})"
_END = rf"(?:,\s*\d{{1,2}}[º°ª]?\s?[A-Za-z]?(?=,))?(?:,?\s*{_POST}\s+{_TOWN})?"
_JOINED = (  # ends of words that are streets by themselves
    r"(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer|steig|straat|laan|plein|gracht|kade|dijk|gatan|vägen|vej|gade|gata|"
    r"veien|katu|tie)"
)
_FRENCH = r"(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Bb]d|[Pp]lace|[Cc]hemin|[Ii]mpasse|[Aa]llée|[Qq]uai|[Cc]ours|[Ss]quare|[Rr]oute)"
_SOUTHERN = (
    r"(?:[Cc]alle|C/|[Aa]venida|[Aa]vda\.?|[Pp]laza|[Pp]aseo|[Cc]arrer|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Rr]ua|[Aa]v\.|[Tt]ravessa|"
    r"[Pp]raça|[Ll]argo|[Aa]lameda)"
)
_HOUSE = (  # a house's own name ahead of its number
    rf"(?:(?:The\s+)?(?:{_W}\s){{0,2}}(?:Cottage|House|Farm|Lodge|Forge|Barn|Mill|Rectory|Vicarage|Hall|Manor|Villa|Court),\s+)?"
)
_INDIAN_NO = rf"(?:{_FLAT}|(?:(?:H|House|Plot|Door|D|Shop)\.?\s?(?:No|no)\.?|Plot)\s?[\w/-]{{1,12}})"
_FORMS = tuple(
    re.compile(rf"(?<![\w/.-]){form}(?!\w)")
    for form in (
        rf"{_HOUSE}(?:{_FLAT},?\s+)?{_NO},?\s+(?:[NSEW]\.?\s+)?(?:(?:{_W}|\d{{1,3}}(?:st|nd|rd|th))\s+){{1,4}}{_ROAD}{_QUARTER}{_ENGLISH_END}",
        rf"(?:P\.?\s?O\.?\s?Box|Post Office Box|Postfach)\s+\d+(?:,\s*{_TOWN},?\s+{_CODE})?",
        # the number behind, in one word with the kind of street, or beside it
        rf"(?:{_W} ){{0,2}}[{_UP}][\w.-]{{0,40}}{_JOINED}\s+{_NO}{_END}",
        rf"(?:{_W} ){{1,3}}(?:Stra(?:ß|ss)e|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm|Ufer)\s+{_NO}{_END}",
        rf"\d{{1,4}}(?:\s?(?:bis|ter|quater)\b)?,?\s+{_FRENCH}\s+(?:(?:de la|de|du|des|la|le|les)\s+){{0,2}}(?:[dl]['’])?{_W}"
        rf"(?: (?:{_W}|de|du|des|la|et)){{0,4}}(?:,?\s*{_POST}\s+{_TOWN}|,\s*{_TOWN},?\s+(?:[A-Z]{{2}}\s+)?{_CA})?",
        # streets that begin with a preposition, up to the town
        rf"(?:Am|An der|An den|Im|In der|In den|Auf der|Auf dem|Zum|Zur|Unter den|Hinter der|Vor dem) {_W}(?: {_W})?\s+{_NO},?\s+"
        rf"\d{{5}}\s+{_TOWN}",
        # parts between commas, up to the six digits of an Indian PIN
        rf"{_INDIAN_NO}(?:,\s*[\w.'’ -]{{2,40}}){{1,5}}?,?\s*[-–]?\s*[1-9]\d{{2}}\s?\d{{3}}",
        # all in lower case, up to a postcode
        rf"(?i:(?:(?:flat|apt|unit)\.?\s?\w{{1,4}},?\s+)?\d{{1,4}}[a-z]?\s+(?:[a-z'’]{{1,20}}\s+){{1,3}}(?:street|st|road|rd|avenue|ave|lane|ln|"
        rf"drive|dr|close|way|place|crescent|terrace|court|gardens|grove|hill)(?:,\s*[a-z'’]{{2,20}}(?: [a-z'’]{{2,20}}){{0,2}}){{1,2}}"
        rf",?\s+(?:{_UK}|[a-z]{{2}},?\s+\d{{5}}))",
        rf"{_SOUTHERN}\s+(?:(?:de la|de los|de|del|da|das|do|dos|della|dei)\s+)?{_W}(?: (?:{_W}|de|del|da|das|do|dos|la|e|y)){{0,5}},?\s+"
        rf"(?:n[.º°]*\s*)?{_NO}(?:,\s*\d{{1,2}}[º°ª]\s?[A-Za-z]?)?(?:,\s*{_TOWN},\s*{_POST}|,\s*{_POST}\s+{_TOWN})?",
        rf"(?:ul|al|pl|os)\.\s+{_W}(?: {_W}){{0,3}}\s+{_NO}(?:,\s*\d{{2}}-\d{{3}}\s+{_TOWN})?",
    )
)
_IN_YEAR = re.compile(r"\b(?:in|since|until|by|seit|en|desde)\s+$", re.I)
_YEAR = re.compile(r"(?:19|20)\d\d\b")


def addresses(said: Said) -> Iterator[Span]:
    """Streets with their number and what follows."""
    for form in _FORMS:
        for match in form.finditer(said.text):
            if _IN_YEAR.search(said.text[: match.start()]) and _YEAR.match(match[0]):
                continue
            yield Span(match.start(), match.start() + len(match[0].rstrip(".,-'’")), "address")
