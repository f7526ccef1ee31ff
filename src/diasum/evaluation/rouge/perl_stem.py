"""The Porter stemmer of ROUGE-1.5.5 (Lin 2004), as far as py-rouge 1.1 reproduces it.

It departs from the algorithm as published (Porter 1980) in two ways. It has the rules for -bly and -logy that Porter
added later: possibly -> possibl, technology -> technolog. And in step 4 a suffix that was dropped, or that left too
little to be dropped, does not end the step: -ment, -ent and -ion are still tried (professional -> profession ->
profess; agreement -> agreem).

The package does this from a list of the words of the DUC 2004 evaluation, and leaves the like of them to the published
algorithm. Here it is a rule, and the common English words that the package leaves alone are excepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_VOWELS_CONSONANT = re.compile("(?:[aeiou]|(?<=[^aeiou])y)+[^aeiou]")

# Only words that share a stem with another common word need to be here: the letters of a stem do not matter.
_LEFT_ALONE_TEXT = """
accidental additionality additionally affectionate affectionately analogies analogy argumentative assemblies audibly
biologist biology coincidental compartmentalize conditionally conditioner conditioners constitutionality
constitutionally conventionality conventionalized crumbly departmental detriment developmental dimensionality
directionality directionally disproportionally disproportionately documentations doubly ecology elemental elementals
emotionally environmentally exceptionally executioner executioners experimental experimentally experimenter feasibly
flexibly fundamentally fundamentals geology horribly humbly immunology implementations implementer implements
inaudibly incidental incidentally institutionalized institutionally instrumentally instrumentation instrumented
intentionality intervention interventional interventions invisibly judgements methodology neurology nimbly ontologies
ontology parliaments pathology petitioner petitioners phonology placements plausibly positioner professionalism
professionally proportionality proportionally proportionate provisional provisionally radiology recreationally
regiment regimented representational representations rheumatology sensationalize sensibly situationally sociology
supplemental supplemented supplementing theology unconditionally unintentional urology wobbly
"""
_LEFT_ALONE = frozenset(_LEFT_ALONE_TEXT.split())


@lru_cache(maxsize=1)
def _porter() -> Callable[[str], str]:
    from nltk.stem.porter import PorterStemmer

    stem: Callable[[str], str] = PorterStemmer(PorterStemmer.ORIGINAL_ALGORITHM).stem
    return stem


def perl_stem(word: str) -> str:
    """The stem of a word in small letters."""
    stem = _porter()(word)
    if word in _LEFT_ALONE:
        return stem
    if stem.endswith("logi"):
        return stem[:-1]
    if stem.endswith("bli"):
        stem = _porter()(stem[:-1] + "e")
    for suffix in ("ment", "ent", "ion"):
        rest = stem.removesuffix(suffix)
        if rest != stem and _measure(rest) > 1 and (suffix != "ion" or rest[-1] in "st"):
            return rest
    return stem


def _measure(stem: str) -> int:
    """Porter's m: how often vowels are followed by a consonant. A y is a vowel where it follows a consonant."""
    return len(_VOWELS_CONSONANT.findall(stem))
