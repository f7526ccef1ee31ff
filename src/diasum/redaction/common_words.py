"""Given names that are words, months or places as well: they count as names only where something else says so; and companies' names."""

from __future__ import annotations

from diasum.claims.lexicon import words

COMPANIES = (
    "Marks and Spencer|Marks & Spencer|John Lewis|Wells Fargo|Charles Schwab|Morgan Stanley|J\\.?P\\.? ?Morgan|Goldman Sachs|"
    "Ben & Jerry|Ben and Jerry|Trader Joe|Papa John|Jimmy John|Jack Daniel|Johnnie Walker|Johnson & Johnson|Johnson and Johnson|"
    "Calvin Klein|Ralph Lauren|Tommy Hilfiger|Hugo Boss|Louis Vuitton|Mary Kay|Estée Lauder|Elizabeth Arden|Harley[- ]Davidson|"
    "Ernst & Young|Ernst and Young|Eli Lilly|Thomas Cook|Edward Jones|Jenny Craig|Ann Taylor|Victoria['’]s Secret|Uncle Ben|"
    "Aunt Jemima|Jack in the Box|Sam['’]s Club|Fred Perry|Ted Baker|Tom Ford|Tim Hortons|John Deere|Paul Smith|Leroy Merlin|"
    "Peter Hahn|Merrill Lynch|Lloyd['’]s|(?:Wendy|Macy|Denny|Arby|Domino|Kohl|McDonald|Sainsbury|Levi|Chili|Applebee|Hardee|Carl|"
    "Popeye|Sotheby|Christie|Lowe|Barney|Nando|Bloomingdale|Wilko|Morrison|Waterstone|Kellogg|Hershey|Reese|Moody|Zaxby|Culver|"
    "Friendly|Perkins|Jersey Mike|Dillard|Claire|Jamba)['’]s"
)
"""Companies that are named like people: a pattern."""

INSTITUTIONS = words(
    "hospital general clinic medical surgery college university school academy institute library cathedral chapel museum station "
    "airport bank hotel inn residency residence residences apartments towers street road avenue square gardens bridge island "
    "county lake beach valley city foundation trust center centre theatre theater stadium arena mall plaza airlines airways motors "
    "group inc ltd llc gmbh corp"
)
"""What follows a name in the name of a place or an institution: "Mercy General"; in lower case."""

# Not `words` in the sense of a dictionary: what stands with a capital in ordinary text and is also on lists of given names.
PLACES_AND_MONTHS = words(
    "may april june august paris jordan georgia austin houston florence victoria lincoln mercedes ruby julia perl python jasper "
    "jenkins christian london dallas brooklyn chelsea savannah carolina virginia alexandria sydney adelaide vienna verona troy "
    "israel kenya india china asia america italia lima roma siena phoenix madison ireland francis jamaica cuba chad tripp mai juni "
    "juli"
)
"""Places, months and well-known things; in lower case."""

ALSO_WORDS = PLACES_AND_MONTHS | words(
    # English
    "will mark rose grace hope faith joy chase rob bill sue pat drew frank rich art dean earl duke king prince earnest ernest "
    "summer autumn winter dawn eve noel easter ivy daisy olive lily iris heather violet holly hazel pearl crystal amber jade coral "
    "sandy rusty dusty stormy sunny happy precious destiny trinity charity mercy patience prudence constance harmony melody aria "
    "cadence hunter carter cooper tanner porter baker gardener fisher archer piper harper sheriff major miles lane reed clay stone "
    "cliff forest glen brook brooks river rivers wade ford dale heath ray rod gene guy chip buck bud dick willy randy angel star "
    "sky skye roman case chance ace max axel rocky bo al an in so to do can or ok hi oh ah me my be we us no yes mom dad you he "
    "she it they ever even just than then this that these those young long little small white black brown green gray grey golden "
    "silver bishop pope page pace price cash bond gale gay wolf lion drake jay wren sterling royal noble sage basil ginger cherry "
    "candy honey kitty misty penny nickel bunny teddy many lots sure see said son sun ha le van von der den del la las los de da "
    "dos das san santa saint st link mail manual handy tea peace loan baby almond delta "
    # other languages
    "el il lo gli les un une una die sie er es wir ihr ich du vi han hun det jag ni on can deniz umut savaş güneş yaz bahar "
    "ata sol luz mar paz pilar dolores consuelo rosario soledad rosa salvador dom dora dien mai jan mio min mine bella dolce "
    "felice else heide linde gut blanche reine aimé fleur prosper fortune placide noël bien nah nun mit per lang kurz klein rot "
    "dag stig sten liv siv frid tor kai vita nova ora alma anima nur"
)
"""Ordinary words, and `PLACES_AND_MONTHS`; in lower case."""
