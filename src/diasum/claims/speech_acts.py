"""Verbs that summaries tell talk with, and the signs that such an act leaves in a turn; English, by root, written by hand."""

from __future__ import annotations

import re

from diasum.claims.lexicon import words
from diasum.claims.synonyms import root


def _roots(text: str) -> frozenset[str]:
    return frozenset(root(word) for word in words(text))


# What summaries say of talk as such; no turn has to say it.
REPORTING = _roots(
    "ask tell say explain discuss talk mention inform suggest advise recommend offer agree think believe feel want wish hope plan decide "
    "promise thank apologize apologise introduce describe complain wonder learn find know gist outcome next conversation speaker person "
    "remind request invite express show share state confirm answer reply respond propose insist claim admit report add"
)
ASKING = _roots("ask wonder question inquire request")
TELLING = _roots(
    "tell say explain inform mention describe report claim argue think believe complain answer reply remember admit insist like prefer "
    "love hate warn suggest recommend advise propose feel"
)
GETTING = _roots("learn hear find get receive lend borrow")
_CUES = {
    "thank": r"\bthank|\bcheers\b|appreciate|grateful",
    "apologize apologise": r"\bsorry\b|apolog|forgive|pardon|my fault",
    "invite": r"would you like|want to|\bcome\b|\bjoin|why don.t|how about|let.s|invite|welcome to",
    "suggest recommend advise propose": r"should|why don.t|why not|how about|what about|could|\btry\b|maybe|recommend|suggest|better|let.s|"
    r"if i were|\btake\b",
    "refuse decline reject deny": r"\bno\b|\bnot\b|n.t\b|sorry|afraid|never|nope|rather",
    "agree accept confirm": r"\byes\b|\byeah\b|\bok|sure|fine|right|good idea|\bdeal\b|agree|of course|great|good|sounds|i will|i.ll|"
    r"certainly|exactly",
    "promise offer": r"\b(?:i|we).ll\b|\b(?:i|we) will\b|\bi can\b|let me|shall i|promise|i could|i.d be|here.s|there.s",
    "ask wonder question inquire request": r"\?",
    "congratulate wish": r"congrat|well done|proud|great|good (?:for|luck)|wish",
    "warn": r"don.t|careful|watch|\bif\b|might|danger|warn|otherwise",
    "remind": r"remember|forget|remind|don.t",
    "complain": r"terrible|awful|bad|never|always|not|n.t\b|too|hate|tired|why",
    "explain describe instruct": r"because|\bso\b|mean|first|then|\bif\b|you (?:can|need|have|should|just)|that.s (?:why|how)|it.s",
    "want need order look": r"\bi.d like|\bi want|\bi need|can i|could i|may i|i.m looking|i.ll (?:have|take)|do you have|"
    r"could you|can you|please",
    "buy": r"i.ll (?:have|take)|i.d like|i want|can i|how much",
    "help assist": r"(?:can|may|could) i help|let me|i.ll|i can|here|no problem|of course|sure",
    "comfort reassure encourage calm": r"don.t worry|(?:be|is|.s|are|.re) (?:fine|ok|okay|all right|good)|you can|you.ll|come on|"
    r"no problem|never mind",
    "worry fear": r"worr|afraid|scared|nervous|what if|hope|i don.t|maybe|\bbut\b",
    "hope": r"\bhope|wish|\bi.d (?:like|love)|want",
    "plan intend": r"\bi.m (?:going|planning)|\bi.ll|\bi will|we.re going|we.ll|\bi.d like|i want|plan",
    "praise compliment admire": r"great|wonderful|beautiful|nice|lovely|well done|good|excellent|amazing|perfect|fantastic|love",
    "greet welcome": r"\bhi\b|hello|good (?:morning|afternoon|evening)|welcome|nice to meet",
    "show": r"\bhere|this is|look|\bsee\b|there",
    "like love enjoy prefer": r"\bi (?:really |do |also |just )?(?:like|love|enjoy|prefer)|favou?rite|great|wonderful|better|rather",
    "hate dislike": r"\bhate|n.t (?:really )?like|terrible|awful|boring|never|n.t\b|\btoo\b",
    "admit confess": r"\bi (?:did|was|have|had|forgot|didn)|sorry|actually|yes|\bwell\b|to be honest",
    "doubt disagree object oppose argue": r"\bbut\b|n.t\b|\bnot\b|\bno\b|really|sure|think|why",
    "call": r"calling|\bthis is|speak to|speaking|hello",
    "introduce": r"\bthis is|meet|my name|i.m\b|i am",
    "insist": r"must|no\b|have to|really|please|but|n.t",
    "inform report": r"\bis\b|\bare\b|was|will|.s\b|there",
    "check confirm": r"right|correct|\byes|sure|\bis that|let me|so\b",
    "bring send fetch lend": r"\bi.ll|\bi will|i can|let me|here|\bi (?:sent|brought)",
    "join accompany": r"i.d love|i.ll|count me|me too|yes|sure|ok|come",
    "wait": r"wait|moment|minute|\bi.ll be",
    "feel": r"\bi.m\b|\bi am|\bi feel|my\b|me\b",
    "learn find hear know understand": r"\bi see|really|\boh\b|\?|i didn.t know|understand|thank",
}
_CUE_OF = {one: re.compile(cue, re.I) for verbs, cue in _CUES.items() for one in _roots(verbs)}


def cue_of(verb: str) -> re.Pattern[str] | None:
    """The signs of an act, by the root of its verb; None where the verb is none of those known."""
    return _CUE_OF.get(verb)
