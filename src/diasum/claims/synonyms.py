"""Words that stand for one another between what is said and what a summary says: roots, synonyms, opposites; English, written by hand.

A root is what a word shares with those derived from it: "recommendation" and "recommends", "refusal" and "refused". The lists hold what
rules of suffixes cannot know; they are short on purpose, since each entry is one more way to support a wrong sentence.
"""

from __future__ import annotations

from functools import lru_cache

from diasum.claims.negation import stem

# Longest first; what remains has at least four letters.
_LISTED = (
    "ization isation ational fulness ousness iveness ations ation ition ments ment ness ances ance ences ence ingly ously fully "
    "ally able ible ings ious ions ion ity ive ize ise ist ism ous ful ant ent ing ial ual al ly er or ed es y e i s"
)
_SUFFIXES = _LISTED.split()
_SHORTEST = 4

# One group a line: any of these supports any other.
_GROUPS = """
buy purchase acquire
sell sale
choose choice pick select selection opt
decide decision determine
begin start beginning launch
end finish complete conclude
big large huge enormous
small little tiny
fast quick quickly rapid rapidly soon
expensive pricey costly dear
cheap inexpensive affordable
price cost charge fee rate
money cash dollar buck fund
job work employment position career
boss manager supervisor
doctor physician dr
child kid son daughter boy girl children baby
mother mom mum mama mummy parent
father dad papa daddy parent
wife husband spouse partner
brother sister sibling
car vehicle drive automobile
house home apartment flat place
movie film cinema
picture photo photograph image
phone call ring telephone mobile cell
mail email e-mail letter message
talk chat conversation discuss discussion discussed speak
tell inform let report say
help assist assistance support aid
ask request question inquire enquire
answer reply respond response
suggest recommend propose advise advice suggestion recommendation should
want wish desire like would hope
need require must necessary
like love enjoy fond favorite favourite prefer
hate dislike
sick ill illness unwell disease
pain hurt ache sore painful
tired exhausted fatigue fatigued sleepy
happy glad pleased delighted excited joy
sad unhappy upset depressed
angry mad furious annoyed cross
afraid scared fear frightened worried worry anxious nervous concern concerned
sorry apologize apologise apology
thank thanks grateful gratitude appreciate thankful
problem trouble issue difficulty wrong matter
repair fix mend
broken break damaged damage broke
meet meeting appointment see
meal dinner lunch breakfast supper eat food
eat have meal ate
drink beverage beer wine coffee tea
holiday vacation trip travel journey tour
trip journey travel flight
return back bring
arrive arrival come get reach
leave departure depart go
late delay delayed
join come accompany participate
invite invitation come
reserve reservation book booking
change alter modify switch exchange
exchange swap trade return
lend borrow loan
give hand provide offer present
send mail ship deliver delivery post
receive get got receipt
show demonstrate display
try attempt
learn study
study student school class course lesson
teacher professor instructor
test exam examination
company firm business corporation
store shop market supermarket mall
clothes clothing dress shirt suit
weather rain sunny cold hot snow
beautiful pretty lovely gorgeous handsome nice
good great excellent nice wonderful fine perfect
bad terrible awful poor horrible
clever smart intelligent
wait hold
look search seek find
find discover locate found
lose lost missing miss
near close nearby
far distant away
new recent newly latest
old former elderly
person people someone somebody guy man woman
friend buddy pal
marry marriage wedding married engaged
die death dead pass
agree agreement accept ok okay yes sure fine right
accept take agree
refuse decline reject no not won't can't
deny no not
forbid not allowed
allow let permit may can
stop quit give
continue keep carry
remember remind forget reminder
explain explanation because why
describe description like
complain complaint
plan going intend will schedule
promise will
offer will can
order have take
increase rise raise grow up more
decrease reduce reduction drop fall lower less down
medicine medication drug pill tablet prescription prescribe
surgery operation operate
hospital clinic
smoke smoking cigarette cigar tobacco
alcohol drink beer wine liquor
weight pound lose heavy
exercise workout gym run jog
sleep asleep bed rest
live reside stay
stay remain
move relocate relocation moving
pay payment paid
owe debt
win victory won
fire dismiss lay sack
hire employ recruit
resign quit leave resignation
introduce introduction name meet
direct direction way road street
map way direction
luggage bag suitcase baggage
ticket fare
airport plane flight fly
train station railway
bus stop
evening tonight night
morning today am
weekend saturday sunday
now currently present
often usually frequently always
every each daily
whole all entire
approximately about around
child birth born baby
birthday party celebrate celebration
gift present
cook cooking recipe bake
clean tidy wash
computer laptop pc machine
software program app
document file paper form
sign signature
rent lease landlord tenant
neighbour neighbor door
police officer cop
steal stolen theft rob
accident crash hit
win prize award
think believe opinion feel consider idea
know aware
understand see get
sure certain certainly definitely
maybe perhaps possibly might probably
impossible cannot
necessary have
busy schedule time
free available
hungry starving eat
thirsty drink
fever temperature
headache head
stomach tummy belly abdomen abdominal
throw vomit vomiting sick puke
dizzy dizziness lightheaded
swell swelling swollen
allergy allergic allergies
diabetes diabetic sugar
hypertension pressure high
heart cardiac
kidney renal
skin rash
bleed bleeding blood
numb numbness tingle tingling
anxious anxiety
injury injure hurt injured
examine exam check
electricity power light current generator
feast party celebration festival
jump dive diving
firm office company workplace
remark point note observe comment mention
praise compliment good great
encourage urge
warn warning careful caution beware
hurry rush quick fast
postpone delay later
cancel call off
attend go join visit
participate part join
own have possess
obtain get receive
require need
provide give offer supply
assess assessment test check evaluate
evaluate judge rate assess
compare difference than
calculate count figure
estimate guess about
budget money cost
invoice bill
salary wage pay income
discount cheaper reduce lower off
refund money return back
guarantee warranty
customer client
guest visitor
colleague coworker co-worker
employee worker staff
employer boss company
neighbourhood area district
area region place part
village town
town city
building house block
garden yard
device machine gadget
button press
television tv
remote control
battery charge power
prototype model
design draw sketch shape
feature function functionality
requirement need must
target aim goal
goal aim purpose target
result outcome
reason because why
consequence so therefore
method way how approach
opportunity chance
experience time
ability able can
talent gift skill
success succeed
failure fail
mistake error wrong fault
fault blame mistake
quarrel argue argument fight
argue argument quarrel
joke funny laugh humor
surprise surprised unexpected
bore boring bored dull
interest interested interesting
prefer rather better
rather prefer instead
choice choose option
option choice alternative
possibility maybe possible can
permission allow may let
rule regulation law
forbid forbidden ban allow not
smoke smoker cigarette
quit stop give
thirst water drink
breathe breath breathing shortness
cough coughing
infection infected bacteria virus
inflammation inflamed swollen
fracture break broke broken
medicate medication medicine
dose milligram mg
treat treatment therapy cure
therapy therapist counselling
symptom sign feel
diagnose diagnosis diagnosed
disease condition illness
elevated high raised
deny no never
unremarkable normal fine
bilateral both
daily day every
weekly week
monthly month
yearly year annual
annual year yearly
nightly night
widow husband
occupation work job retired
retire retired retirement
education school college degree grade
graduate graduation school degree
daughter girl
son boy
toddler baby
grandmother grandma granny nana
grandfather grandpa granddad
relative family
pregnancy pregnant
menstrual period
bowel stool
urine urinate pee
vision eye see sight
hearing ear hear
throat swallow
chest breast
leg knee
spine back
weapon gun
theft steal stole
burglary burglar stole
traffic jam
route way road
departure leave left
destination where going
passenger people
accommodation hotel room
reception desk front
weather forecast
storm wind
swim swimming
match game
team group
audience people
song sing
painting picture paint
novel book
newspaper paper
advertisement ad advertise
website online site internet
password code
download install
delete remove
error bug
meeting session
agenda plan
minutes note
decide settle agreed
arrange arrangement plan organize
prepare preparation ready
ready prepare finish
collect pick fetch
fetch bring get pick
deliver bring
carry take
wear put dress
borrow lend
break rest pause
fortnight week
"""
_OPPOSITES = """
accept refuse
accept decline
accept reject
agree refuse
agree disagree
like dislike
like hate
love hate
buy sell
increase decrease
increase reduce
rise fall
cheap expensive
early late
open close
open closed
win lose
arrive leave
start stop
start finish
begin end
remember forget
alway never
everything nothing
everyone nobody
before after
more less
more few
better wors
best worst
good bad
big small
long short
high low
hot cold
old new
young old
easy difficult
easy hard
true false
happy sad
single married
alive dead
first last
up down
left right
inside outside
allow forbid
possible impossible
confirm deny
admit deny
pas fail
succeed fail
sick healthy
strong weak
positive negative
normal abnormal
normal elevated
gain lose
attend skip
bring forget
quit start
quit continue
stop continue
dangerous safe
dangerous harmless
safe risky
reasonable unreasonable
compulsory optional
compulsory voluntary
alone together
alone husband
alone wife
interested bored
interesting boring
useful useless
clean dirty
full empty
heavy light
fast slow
quick slow
quiet loud
quiet noisy
rich poor
polite rude
patient impatient
satisfied disappointed
satisfied dissatisfied
happy unhappy
optimistic pessimistic
confident unsure
sure unsure
certain unsure
certain doubt
likely unlikely
able unable
believe doubt
trust doubt
support oppose
favor against
approve disapprove
praise criticize
praise complain
improve worsen
improve deteriorate
lower raise
lower higher
few many
rare frequent
rarely often
seldom often
never often
sometimes never
usual unusual
public private
same different
similar different
separate together
include exclude
keep remove
keep drop
add remove
lend borrow
pull push
export import
cancel confirm
cancel keep
postpone advance
stay leave
stay move
awake asleep
present absent
available unavailable
known unknown
visible hidden
legal illegal
right wrong
correct wrong
correct incorrect
agree refuse
approve reject
pass reject
guilty innocent
healthy ill
well unwell
stable unstable
regular irregular
soft hard
sweet bitter
thick thin
wide narrow
deep shallow
tall short
fresh stale
dry wet
bright dark
fit unfit
find lose
free busy
free paid
free charge
permanent temporary
daily weekly
male female
"""


@lru_cache(maxsize=65536)
def root(word: str) -> str:
    """What a lower-case word shares with those derived from it; a stem at least."""
    short = stem(word)
    while True:
        for suffix in _SUFFIXES:
            if short.endswith(suffix) and len(short) - len(suffix) >= _SHORTEST:
                short = short[: -len(suffix)]
                break
        else:
            return short[:-1] if len(short) > _SHORTEST and short[-1] == short[-2] else short


def _lines(text: str) -> list[frozenset[str]]:
    return [frozenset(root(word) for word in line.split()) for line in text.strip().splitlines()]


def _table(groups: list[frozenset[str]]) -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for group in groups:
        for one in group:
            table.setdefault(one, set()).update(group - {one})
    return {one: frozenset(others) for one, others in table.items()}


SYNONYMS = _table(_lines(_GROUPS))  # root to the roots that may stand for it
OPPOSITES = _table(_lines(_OPPOSITES))
