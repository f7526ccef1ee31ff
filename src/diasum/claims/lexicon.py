"""Word lists for the faithfulness checks and the corruptions; all English, all lower case."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """A list of words separated by blanks."""
    return frozenset(text.split())


TITLES = words(
    "mr mrs ms miss mx dr doctor prof professor sir madam lady lord captain uncle aunt officer sergeant detective"
)

PRONOUNS = words(
    "i me my mine we us our ours you your yours he him his she her hers it its they them their theirs who whom whose this that "
    "these those himself herself itself themselves myself yourself"
)

# Words that carry no content of their own, for matching a summary with turns.
STOPWORDS = PRONOUNS | words(
    "a an the and or but if so as at by for from in into of off on onto out over to up with about after before until till during "
    "than then there here when where while why how what which because since though although also too very just only even still "
    "again more most much many some any all both each every other another such same own be am is are was were been being do does "
    "did done doing have has had having will would shall should can could may might must ought need let lets get gets got getting "
    "go goes going gone went make makes made making take takes took taken not no nor never none nothing nobody yes ok okay oh well "
    "one ones thing things something anything everything someone anyone everyone person people s t d ll m re ve don didn doesn "
    "isn aren wasn weren won wouldn couldn shouldn can't hasn haven hadn really quite now ever like want wants say says said tell "
    "tells told ask asks asked think thinks thought know knows knew feel feels talk talks talking discuss discusses give gives "
    "gave given see sees come comes came new good first between through against without"
)

# Words that begin a sentence with a capital and name nobody.
SENTENCE_WORDS = STOPWORDS | words(
    "according actually additionally afterward afterwards almost alone along already although altogether among apart around aside "
    "because below beside besides beyond brother business child children class colleague companies considering currently customer "
    "dad daughter despite doctor driver due earlier eventually except father fellow finally following friend friends fortunately "
    "furthermore generally given grandma grandpa guest hence however husband including indeed initially instead interviewer "
    "judging lately later lastly maybe meanwhile moreover mother mom mum moving naturally nevertheless next nonetheless "
    "nowadays obviously officer once otherwise overall owing parents passenger patient patients perhaps please police previously "
    "prior probably receptionist recently regarding seller several similarly sister son soon speaker student students suddenly "
    "teacher thanks therefore thus today together tomorrow tonight toward towards under unfortunately unless unlike upon usually "
    "via waiter waitress wife within woman women man men boy girl yesterday yet clerk manager agent caller host nurse staff "
    "history past positive negative currently denies reports status mild severe normal blood family surgical medical social "
    "none noncontributory unremarkable per secondary left right chronic acute multiple significant otherwise review systems "
    "grandfather grandmother goal additional team participants members speakers group half plus neither either whether"
)

# Capitalised in the middle of a sentence, yet not the name of anybody or anything that a dialogue must mention.
COMMON_CAPITALS = words(
    "tv ok okay internet web email mail e-mail online god bible pc cd dvd id ceo hr it gps sms app wifi wi-fi usb pdf faq diy vip "
    "dad mom mum mummy daddy mommy grandma grandpa granny sir madam mother father earth sun moon xmas am pm ad bc bce ce a.m p.m "
    "department emergency center centre hospital clinic room physician nurse clinician surgery therapy female male disease syndrome "
    "north south east west street road avenue station airport university college school company manager director minister "
    "secretary president committee bill act government general user interface marketing industrial project design designer meeting "
    "speaker customer patient street club hotel restaurant bank park bus line flight "
    "er icu ct mri ekg ecg eeg iv er or bp hpi pt ot ent obgyn gi gu ed emr hiv dna rna cpr bmi mg ml"
)

NATIONALITIES = words(
    "american americans african asian european latin british english englishman french german italian spanish portuguese dutch "
    "belgian swiss austrian swedish norwegian danish finnish polish russian ukrainian greek turkish arab arabic egyptian israeli "
    "jewish muslim islamic christian catholic buddhist hindu indian pakistani bengali chinese mandarin cantonese japanese korean "
    "thai vietnamese malaysian indonesian filipino australian canadian mexican brazilian argentinian cuban irish scottish welsh "
    "western eastern northern southern caucasian hispanic latino latina white black californian parisian hungarian czech romanian"
)

# Given names, to know one at the beginning of a sentence; elsewhere a capital is enough.
GIVEN_NAMES = words(
    "aaron abby abigail adam adrian alan albert alex alexander alice alison amanda amber amy ana andrea andrew andy angela ann anna "
    "anne annie anthony antonio april arthur ashley barbara ben benjamin bert beth betty bill billy bob bobby brad brandon brenda "
    "brian bruce bryan carl carla carlos carmen carol caroline catherine cathy charles charlie charlotte cheryl chloe chris "
    "christina christine christopher cindy claire clara craig cynthia dan daniel danny dave david deborah debbie denise dennis diana "
    "diane don donald donna doris dorothy doug douglas edward elaine eleanor elena elizabeth ellen emily emma eric erica ethan eva "
    "evelyn fiona frances francis frank fred gary george gerald gina gloria grace greg gregory hannah harold harry heather helen "
    "henry howard ian irene isabel jack jackie jacob james jamie jan jane janet janice jason jay jean jeff jeffrey jenna jennifer "
    "jenny jeremy jerry jesse jessica jill jim jimmy joan joe john johnny jonathan jordan jose joseph joshua joyce juan judith judy "
    "julia julian julie justin karen karl kate katherine kathleen kathy katie keith kelly ken kenneth kevin kim kimberly kyle larry "
    "laura lauren lawrence leo leon leslie lily linda lisa liz lou louis louise lucas lucy luke lynn mabel marco marcus margaret "
    "maria marie marilyn mario mark martha martin mary matt matthew max megan melissa michael michelle mike mona monica nancy "
    "natalie nathan neil nick nicholas nicole nina noah nora oliver olivia oscar pam pamela pat patricia patrick paul paula peggy "
    "pete peter phil philip phillip rachel ralph randy ray raymond rebecca rex richard rick rita rob robert roger ron ronald rosa "
    "rose ross roy ruby russell ruth ryan sally sam samantha samuel sandra sandy sara sarah scott sean sharon sheila shirley simon "
    "sofia sophia sophie stella stephanie stephen steve steven stuart sue susan suzanne sylvia tara ted teresa terry theresa thomas "
    "tiffany tim timothy tina todd tom tommy toni tony tracy tyler vanessa vera veronica victor victoria vincent virginia walter "
    "wayne wendy will william zach zoe"
)

# What a person does in a summary: the word before it, if it begins the sentence with a capital, is somebody.
PERSON_VERBS = words(
    "tells asks says thinks wants agrees suggests advises recommends refuses declines accepts invites thanks explains believes "
    "feels likes loves hates hopes plans decides offers promises apologizes apologises complains introduces calls informs "
    "reminds persuades convinces disagrees knows doubts wonders worries visits buys"
)

PLACES = words(
    "london paris berlin rome madrid tokyo kyoto beijing shanghai moscow sydney toronto chicago boston seattle miami dallas denver "
    "houston atlanta philadelphia washington hawaii florida california texas england france germany italy spain china japan korea "
    "india russia brazil mexico canada australia america europe africa asia egypt greece turkey sweden norway vienna prague "
    "amsterdam dublin singapore thailand vietnam york"
)

# Names that stand for one another.
ALIASES: tuple[frozenset[str], ...] = tuple(
    words(line)
    for line in (
        "thomas tom tommy", "michael mike mickey", "robert bob rob bobby robbie", "william bill will billy liam",
        "elizabeth liz lizzie beth betty eliza", "james jim jimmy jamie", "john johnny jack", "richard rick dick rich",
        "katherine catherine kate katie kathy cathy kathleen", "margaret maggie meg peggy", "daniel dan danny", "david dave",
        "joseph joe joey", "anthony tony", "christopher chris", "christine christina chris tina", "matthew matt",
        "andrew andy drew", "edward ed eddie ted", "steven stephen steve", "susan sue susie suzanne", "jennifer jenny jen",
        "rebecca becky", "patricia pat patty trish", "patrick pat", "samuel sam", "samantha sam", "benjamin ben benny",
        "alexander alex", "alexandra alex", "nicholas nick", "charles charlie chuck", "gregory greg", "timothy tim",
        "jonathan jon", "lawrence larry", "kenneth ken", "donald don", "ronald ron", "raymond ray", "victoria vicky",
        "usa us america american states u.s u.s.a", "uk britain british england english kingdom", "china chinese", "japan japanese",
        "france french", "germany german", "spain spanish", "italy italian", "greece greek", "turkey turkish", "korea korean",
        "thailand thai", "holland netherlands dutch", "tv television", "mom mother mum mama", "dad father papa",
        "christmas xmas", "cv resume", "ny nyc york", "la angeles", "dr doctor", "mr mister sir", "mrs madam",
    )
)  # fmt: skip

# For corruptions: names that no list above holds, so that the checks are measured on names they do not know.
OTHER_GIVEN = tuple(
    sorted(
        words(
            "Adele Alvin Bianca Cedric Celia Clive Daphne Desmond Edith Elliot Felix Freya Gavin Greta Hazel Hugo Imogen Ivan Jasper "
            "Joanna Kirsten Lionel Malcolm Marjorie Miles Nadia Nigel Odette Owen Pippa Quentin Rhoda Rupert Selma Silas Tamara "
            "Tobias Ursula Vivian Warren Yvonne"
        )
    )
)
OTHER_SURNAMES = tuple(
    sorted(
        words(
            "Abbott Barlow Calloway Dalton Eastwick Fairfax Goodwin Harper Ingram Jarvis Kendrick Lockwood Merrick Norwood Osborne "
            "Pemberton Quigley Radcliffe Sheffield Thornton Underwood Vickers Whitaker Yardley"
        )
    )
)
OTHER_PLACES = tuple(sorted(words("Oslo Lisbon Helsinki Bristol Tucson Omaha Nairobi Lima Krakow Geneva Havana Perth")))
