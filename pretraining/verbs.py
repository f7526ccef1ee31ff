# ruff: noqa: SIM905 - lists of words
"""English verb forms and small words, as far as reports of dialogues need them (`reported`)."""

from __future__ import annotations

MODALS = frozenset(
    "can can't cannot could couldn't will won't would wouldn't should shouldn't must mustn't may might shall ought used".split()
)
ADVERBS = frozenset(
    """just also really always never already still only even almost probably maybe definitely actually sometimes often usually
    now then ever simply kind sort certainly totally both all""".split()
)
# base form and past; a past that is equal to its base counts as past
PAST = dict(
    pair.split(":")
    for pair in """be:was become:became begin:began bite:bit blow:blew break:broke bring:brought build:built buy:bought catch:caught
    choose:chose come:came do:did draw:drew drink:drank drive:drove eat:ate fall:fell feed:fed feel:felt fight:fought find:found
    fly:flew forget:forgot get:got give:gave go:went grow:grew hang:hung have:had hear:heard hide:hid hold:held keep:kept know:knew
    lay:laid lead:led leave:left lend:lent lose:lost make:made mean:meant meet:met pay:paid ride:rode ring:rang rise:rose run:ran
    say:said see:saw sell:sold send:sent shake:shook shoot:shot show:showed sing:sang sit:sat sleep:slept speak:spoke spend:spent
    stand:stood steal:stole stick:stuck swim:swam take:took teach:taught tear:tore tell:told think:thought throw:threw
    understand:understood wake:woke wear:wore win:won write:wrote put:put cut:cut let:let set:set hit:hit hurt:hurt cost:cost
    read:read shut:shut""".split()
)
PASTS = frozenset(PAST.values()) | {"were", "wasn't", "weren't", "didn't", "hadn't"}
IMPERATIVES = frozenset(
    """take put go come call try tell give send bring ask keep wait look check make use press hold turn open close read write sign
    add leave pick find meet start stop show book order roll remember bear follow listen click enter type hang sit stand stay move
    hand fill drop note imagine forget watch throw join help choose consider contact visit ring rest drink eat""".split()
)
BARE = (
    frozenset(PAST)
    | IMPERATIVES
    | frozenset(
        """want need like love think guess believe hope wish work live play prefer agree wonder suppose understand promise suggest
        recommend thank see help want offer expect cancel change confirm reserve pay plan decide require enjoy worry mind care seem
        happen matter depend owe own belong""".split()
    )
)
STOPWORDS = frozenset(
    """a an the and or but so if then than that this these those there here it its it's is are was were be been being am do does did
    have has had having will would can could should shall may might must i you he she we they me him her us them my your his our their
    mine yours ours theirs to of in on at for from with by about as into over after before up down out off again very too just not no
    yes what which who whom whose when where why how all any both each few more most other some such only own same that's there's i'm
    you're we're they're he's she's i've you've i'll you'll i'd let let's okay ok well oh yeah um uh like get got go going one thing
    things really know mean gonna kind because also right good great now much many even still""".split()
)
# words that begin a statement but carry no name
SMALL = frozenset(
    """someone somebody everyone everybody nobody nothing something everything people maybe perhaps today tomorrow tonight yesterday
    two three four five six seven eight nine ten half most many since until unless though although while once last next another
    usually sometimes he'll she'll it'll they'll there'll that'll whatever whoever wherever whenever during under between behind near
    except both either neither instead""".split()
)
# words that begin a piece of a sentence rather than a statement
FRAGMENT = frozenset(
    """either neither nor or than that which who whom whose to of at by as into like get got have is are was be been""".split()
)
UNFINISHED = frozenset("a an the to and or but of if that i we my your is are was of for with like so because".split())
PREPOSITIONS = frozenset("to for with at from about by on of without between behind near against around".split())


def third_person(verb: str) -> str:
    """The verb after "he": "have" to "has"; a modal or past form stays as it is."""
    low = verb.lower()
    fixed = {
        "am": "is",
        "are": "is",
        "were": "was",
        "have": "has",
        "do": "does",
        "don't": "doesn't",
        "haven't": "hasn't",
        "aren't": "isn't",
        "weren't": "wasn't",
        "ain't": "isn't",
        "gotta": "has to",
    }
    if low in fixed:
        return fixed[low]
    regular_past = low.endswith("ed") and not low.endswith("eed")
    if low in MODALS or low in PASTS or regular_past or low.endswith(("ing", "n't", "'s")) or not low.isalpha():
        return verb
    return inflect(low, "s") if low in BARE or len(low) > 2 else verb


def inflect(verb: str, ending: str) -> str:
    """A regular form, with the ending "s" or "ed"."""
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return f"{verb[:-1]}ie{ending[-1]}"
    if ending == "s":
        return verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
    if verb.endswith("e"):
        return f"{verb}d"
    doubled = (
        len(verb) < 5 and verb[-1] in "bdgmnpt" and verb[-2:-1] in tuple("aeiou") and verb[-3:-2] not in tuple("aeiou")
    )
    return f"{verb}{verb[-1] if doubled else ''}ed"


def past(verb: str) -> str:
    """The simple past: "go" to "went", "call" to "called"."""
    low = verb.lower()
    return PAST.get(low) or inflect(low, "ed")
