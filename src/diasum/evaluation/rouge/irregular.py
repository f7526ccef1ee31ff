"""English words that no suffix rule brings to their base form: wrote (write), children (child), happier (happy), customer (itself).

ROUGE-1.5.5 (Lin 2004) looks a word up in WordNet's exception lists before it stems it, and py-rouge 1.1 does the
same. This module gives the base form that such a look-up finds. No list is copied: the irregular words of English are
written down here, what follows a pattern (-ied, -ier, bigger, panicked) is a rule, and both were then adjusted to
what the package answers for the words of the corpora in docs/protocols.md, which says how far the scores agree. Some
answers are odd ("dive" is the plural of "diva"). Words that the stemmer treats alike need no entry ("stopped"), nor
do those that the look-up does not find ("women", "people").

A base form found here is *not* stemmed, so that "carried" (carry) and "carry" (stem: carri) count as different words.
That is how the script and the package count.
"""

from __future__ import annotations

import re

# The base form, then forms of it of four letters or more; shorter words are never looked up.
_VERBS = """
abide abode; arise arose arisen; awake awoke awoken; be been were; bear bore borne born; beat beaten; become became;
befall befell befallen; beget begot begotten; begin began begun; behold beheld beholden; bend bent; beseech besought;
bestride bestrode; bid bade bidden; bind bound; bite bitten; bleed bled; blow blew blown; break broke broken; breed
bred; bring brought; build built; burn burnt; buy bought; catch caught; choose chose chosen; clothe clad; cleave clove
cloven cleft; cling clung; come came; creep crept; deal dealt; die dying; dig dug; dive dove; do did done; draw drew
drawn; dream dreamt; drink drank drunk; drive drove driven; dwell dwelt; eat ate eaten; fall fell fallen; feed fed;
feel felt; fight fought; find found; flee fled; fling flung; fly flew flown; forbid forbade forbidden; forget forgot
forgotten; forgive forgave forgiven; forsake forsook forsaken; freeze froze frozen; get gotten; gild gilt; give gave
given; go goes went gone; grind ground; grow grew grown; hang hung; have had; hear heard; hew hewn; hide hidden; hold
held; keep kept; kneel knelt; know knew known; lade laden; lay laid; lead led; lean leant; leap leapt; learn learnt;
leave left; lend lent; lie lain lying; light lit; lose lost; make made; may might; mean meant; meet met; melt molten;
mow mown; pay paid; plead pled; prove proven; rend rent; ride rode ridden; run ran; ring rang rung; rise rose risen;
saw sawn; say said; see saw seen; seek sought; sell sold; send sent; sew sewn; shake shook shaken; shave shaven; shine
shone; shoe shod; shoot shot; show shown; shrink shrank shrunk shrunken; sing sang sung; sink sank sunk sunken; sit
sat; slay slew slain; sleep slept; slide slid; sling slung; slink slunk; smell smelt; smite smote smitten; sneak
snuck; sow sown; speak spoke spoken; speed sped; spell spelt; spend spent; spill spilt; spin spun; spit spat; spoil
spoilt; spring sprang sprung; stand stood; stave stove; steal stole stolen; stick stuck; sting stung; stink stank
stunk; strew strewn; stride strode stridden; strike struck; string strung; strive strove striven; swear swore sworn;
sweep swept; swell swollen; swim swam swum; swing swung; take took taken; teach taught; tear tore torn; tell told;
think thought; thrive throve thriven; throw threw thrown; understand understood; tie tying; tread trod trodden;
undergo underwent undergone; vie vying; wake woke woken; wear wore worn; weave wove woven; weep wept; win won; wind
wound; work wrought; wring wrung; write wrote written; belie belying; untie untying; underlie underlay underlain
underlying; overlie overlay overlain overlying; inlay inlaid; waylay waylaid; partake partook partaken; interweave
interwove interwoven; mistake mistook mistaken; shit shat; pen pent; ken kent
"""

# Prefixes, and the verbs above that take them.
_PREFIXED = """
fore go see tell; mis lay lead spell speak spend understand; out bid do draw grow run sell shine shoot; over bear blow
come do draw drive eat feed fly grow hang hear pay ride run see sell shoot sleep spend take throw; re build do draw
find freeze hear make pay read sell sit take tell think wind write; un bend bind do draw freeze learn say speak wind;
under bid feed pay sell stand take write; up hold rise; with draw hold stand; spell bind
"""

_NOUNS = """
child children; grandchild grandchildren; stepchild stepchildren; foot feet; tooth teeth; goose geese; mouse mice;
louse lice; ox oxen; penny pence; brother brethren; calf calves; dwarf dwarves; elf elves; half halves; hoof hooves;
knife knives; leaf leaves; life lives; loaf loaves; scarf scarves; self selves; sheaf sheaves; shelf shelves; thief
thieves; wharf wharves; wife wives; wolf wolves; behoof behooves; werewolf werewolves; housewife housewives; midwife
midwives; penknife penknives; bookshelf bookshelves; yourself yourselves; alumnus alumni; antenna antennae; appendix
appendices; arcanum arcana; auspex auspices; bacillus bacilli; cactus cacti; candelabrum candelabra; caput capita;
codex codices; colon cola; consortium consortia; corpus corpora; criterion criteria; crux cruces; curriculum
curricula; datum data; diva dive; djinni djinn; erratum errata; esophagus esophagi; exemplum exempla; focus foci;
formula formulae; forum fora; fungus fungi; genus genera; graffito graffiti; incubus incubi; index indices; larva
larvae; locus loci; matrix matrices; maximum maxima; medium media; memorandum memoranda; minimum minima; nucleus
nuclei; octopus octopi; optimum optima; paparazzo paparazzi; phenomenon phenomena; radius radii; rectum recta; rom
roma; schema schemata; serum sera; simulacrum simulacra; stamen stamina; stimulus stimuli; stratum strata; succubus
succubi; syllabus syllabi; symposium symposia; trivium trivia; vertebra vertebrae; vertex vertices; vortex vortices;
automaton automata; spectrum spectra; millennium millennia; stadium stadia; aquarium aquaria; referendum referenda;
bureau bureaux; plateau plateaux; tableau tableaux; beau beaux; ax axes; base bases; crisis crises; ellipsis ellipses;
oasis oases; thesis theses; hypothesis hypotheses; parenthesis parentheses; synthesis syntheses; diagnosis diagnoses;
prognosis prognoses; emphasis emphases; neurosis neuroses; psychosis psychoses; analysis analyses; paralysis
paralyses; quiz quizzes; whiz whizzes; gas gasses; bus busses; program programmes; anus anus; apparatus apparatus;
taxis taxis; testes testes; vas vasa; imago imagines; no noes; comic_strip comics
"""

# "hard harder": the stemmer leaves the -er of a short word alone. Regular comparatives of longer ones are stemmed.
_ADJECTIVES = """
good better best; well better best; bad worse worst; far farther further; deeply deeper; cute cuter; dry dryer drier
driest; free freer; hard harder hardest; hind hinder; strong stronger strongest; true truer truest; young younger
youngest
"""

# Nouns in -er that could be taken for the comparative of an adjective; they are their own base forms.
_NOUNS_IN_ER = """
attacker bargainer broadcaster customer foreigner insider mariner modeler oliver opener outsider overcomer presenter
privateer recorder retailer teenager wholesaler
"""

_DOUBLING = "big dim drab fat fit flat glum grim hot mad red sad slim snug squat tan thin trim wet"
_DOUBLING_L = "dial duel fuel gel pal trial"
_TAKES_K = "frolic mimic panic picnic traffic"
_TAKES_Z = "quiz whiz"

# Made from a noun in -y, from a verb in -ie, or with un- from a participle: no form of a verb in -y.
_NOT_FROM_Y = re.compile("un(?!if).+ied|hogtied|stymied|readied|remedied|biopsied|resupplied")
_NOT_COMPARATIVE_TEXT = """
amplifier atelier barrier bombardier brazier brigadier carrier cashier cavalier chandelier classifier courier crier
dossier flier frontier glacier hosier hotelier identifier modifier multiplier occupier outlier photocopier pier
premier priest qualifier quantifier rapier skier soldier sommelier specifier supplier terrier tier verifier
"""
_NOT_COMPARATIVE = frozenset(_NOT_COMPARATIVE_TEXT.split())


def _listed() -> dict[str, str]:
    """Every form written above, with its base form."""
    entries = [entry.split() for entry in f"{_NOUNS};{_ADJECTIVES};{_VERBS}".split(";")]
    verbs = {base: forms for base, *forms in (entry.split() for entry in _VERBS.split(";"))}
    for prefix, *bases in (entry.split() for entry in _PREFIXED.split(";")):
        entries += [[prefix + word for word in (base, *verbs.get(base, ()))] for base in bases]
    entries += [[word, word] for word in _NOUNS_IN_ER.split()]
    entries += [[word, f"{word}{word[-1]}er", f"{word}{word[-1]}est"] for word in _DOUBLING.split()]
    entries += [[word, f"{word}led", f"{word}ling"] for word in _DOUBLING_L.split()]
    entries += [[word, f"{word}ked", f"{word}king"] for word in _TAKES_K.split()]
    entries += [[word, f"{word}zed", f"{word}zing"] for word in _TAKES_Z.split()]
    return {form: base for base, *forms in entries for form in forms}


_BASE_FORMS = _listed()


def base_form(word: str) -> str | None:
    """The base form of an irregular word in small letters; None if the word is regular and is to be stemmed."""
    if word in _BASE_FORMS:
        return _BASE_FORMS[word]
    if len(word) > 4 and word.endswith("ied") and not _NOT_FROM_Y.fullmatch(word):
        return word[:-3] + "y"
    if word.endswith(("ier", "iest")) and word not in _NOT_COMPARATIVE:
        return word[: word.rindex("ie")] + "y"
    return None
