"""What people say before a number that tells what it is: "my mobile is", "Kundennummer", "pedido".

The nearest word decides, in the turn itself or, where a turn begins with the number, in the question before it. English and what is most
often said in some twenty other languages; a number whose surroundings say nothing is judged by its form alone.
"""

from __future__ import annotations

import re

from diasum.redaction.spans import Said

_NEAR = 80  # characters ahead of a number in which its name is looked for
_ANSWER = 40  # a number that begins within so many characters may answer the question before

_TELEPHONE = r"""
\b(?:tele)?phones?(?:\s+numbers?)?\b | \btel\b | \bcall(?:s|ed|ing)?\b(?!\s+it) | \b(?:ring|text|txt|dial|sms|whatsapp|signal)\b
| \b(?:mobile|mob|cell|cellphone|landline|fax|hp|extension)(?:\s+numbers?)?\b | \b(?:my|our|his|her|their|new|best|local|work|home
|'s)\s+(?:numbers?|line)\b
| \b(?:toll[\s-]?free|help|hot|support|service|direct)[\s-]?line\b | (?:['’](?:s|m|re)|\b(?:am|are))\s+on(?=\s$)
| \b(?:mobile|mob|phone|ph|tel|contact|alternate|alternative|whatsapp|other|second|home|office|work)\s+(?:no\b\.?|nos\b\.?|numbers?\b)
| \bnumbers?\b(?=\s+(?:is|are|to\s+(?:reach|call))\b) | \breach\s+(?:you|me|us|him|her|them)\b | \bnumber['’]s\b
| \b(?:telefon\w*|handy\w*|mobil\w*|festnetz\w*|rufnummer|nummer\w{0,2}|durchwahl|natel|erreich\w+|ruf\w*|anruf\w*)\b
| \b(?:téléphon\w*|portable|appel\w*|numéro|fixe|joindre)\b | \b(?:m[óo]vil|tel[ée]fono|celular|cel|llam\w+|n[úu]mero|fijo|marca)\b
| \b(?:cellulare|fisso|chiam\w+|numero)\b | \b(?:telem[óo]vel|telefone|zap|lig[ao]\w*|fixo)\b | \b(?:bel|bellen|gsm|telefoon\w*)\b
| \b(?:numer|dzwoń|zadzwoń|komórk\w+|volej\w*|zavolej\w*|číslo|zavolaj\w*)\b | \b(?:telefonnummer|mobilnummer|puhelin\w*|soita
|numero\w*)\b
| κινητ | τηλέφων | αριθμ | \b(?:numara\w*|cep|telefonum)\b | звон | телефон | номер | мобил | дзвон
| 電話 | 携帯 | 番号 | 번호 | 전화 | 휴대폰 | 手机 | 电话 | 号码 | 電話 | फ़ोन | नंबर | هاتف | טלפון
"""
_CARD = r"""
\b(?:credit|debit|bank)?\s?card(?:s|\s+numbers?)?\b | \b(?:visa|mastercard|master|amex|american\s+express|discover|diners|maestro
|rupay|mir)\b
| \b\w*karten?(?:nummer)?\b | \bcartes?\b | \btarjetas?\b | \bcarta\b | \bcart[ãa]o\b | \bkaart(?:nummer)?\b | \bkort(?:et|nummer)?\b
| \bkart\w{0,2}\b
| карт | 卡 | カード | 카드
"""
_ACCOUNT = r"""
\b(?:account|acct|routing|policy|member(?:ship)?|customer|client|patient|insurance|passport|licen[cs]e|social\s+security
|national\s+insurance|
nhs|tax|taxpayer|identity|identification|student|employee|medicare|medicaid|health\s+card|vat)(?:['’]s)?(?:\s+(?:card|plate|book))?\s*
(?:numbers?(?:['’]s\b)?|no\b\.?|nr\b\.?|id\b|ids\b|code|\#)
| \b(?:account|acct|routing|policy|passport|member(?:ship)?)(?=\s(?:is\s)?$) | \ba/c(?:\s*(?:numbers?|no\b\.?))?(?=\W) | \bifsc\b
| \b(?:ssn|itin|mrn|bsn|dni|cpf|cnpj|curp|pesel|aadhaar|aadhar|(?-i:SIN|EIN|NIF|NIE|RG|RFC|NIP|PAN|NINO|UTR|CIF|TFN|SIRET|SIREN|OIB
|JMBG))\b
| \bsort\s?code\b | \b(?:passport|driver['’]?s?['’]?\s+licen[cs]e)\b | \blast\s+account\b | \b(?:customer|member|patient|tax|user
|client|employee|student|national)\s+id\b
| \b(?:kunden|konto|mitglieds|versicherungs|sozialversicherungs|steuer|personal|ausweis|pass|patienten|versicherten|personalausweis
|reisepass)-?(?:nummer|nr\b\.?|id\b)
| \b(?:steuer-?id|steueridentifikationsnummer|blz|bankleitzahl|personalausweis|reisepass|führerschein)\b
| \bnuméro\s+(?:de\s+)?(?:client|sécu\w*|sécurité\s+sociale|compte|passeport|adhérent)\b | \bnum[ée]ro\s+fiscal\b
| \b(?:n[úu]mero\s+de\s+(?:cliente|cuenta|socio|seguridad\s+social|pasaporte|conta|passaporte|contribuinte)|pasaporte|passaporte)\b
| \b(?:codice\s+(?:fiscale|cliente)|numero\s+(?:cliente|di\s+conto|conto)|partita\s+iva|carta\s+d['’]identità)\b
| \b(?:klantnummer|rekeningnummer|burgerservicenummer|rijksregisternummer|paspoortnummer|lidnummer)\b
| \b(?:personnummer|kundnummer|kontonummer|cpr-?nummer|fødselsnummer|henkilötunnus|asiakasnumero|tilinumero)\b
| \b(?:numer\s+(?:klienta|konta|dowodu|paszportu)|rodné\s+číslo|číslo\s+(?:účtu|pasu))\b | \bt\.?c\.?\s+kimlik\b | паспорт | снилс
| \bинн\b
"""
_OTHER = r"""
\b(?:order|invoice|ticket|tracking|reference|ref|booking|confirmation|serial|sku|isbn|issn|barcode|parcel|shipment|gift|coupon|promo
|voucher|receipt|transaction|timestamp|gps)(?:\s*(?:numbers?(?:['’]s)?\b|no\b\.?|nr\b\.?|code\b|id\b|\#)|\b)
| \b(?:case|part|model|batch|build|version|room|flight|train|bus|page|gate|platform|item|product|claim|report|chapter|section|bug|issue
|pr|commit|quote|docket|bib|lot|po|purchase|job|meter|house|flat|apartment|apt|unit|seat|row|channel|line|code|score|id)
(?:\s*(?:numbers?(?:['’]s)?\b|no\b\.?|nr\b\.?|code\b|id\b|\#)|(?=(?:\s+(?:is|reads?))?\W{0,3}$))
| \bserial\b | \bsn\b | \btracking\b | \bISBN\b | \b(?!rufnummer|telefonnummer|handynummer|mobilnummer|faxnummer)[^\W\d_]{3,}nummer\b
| \b(?:bestell|rechnungs|auftrags|vorgangs|ticket|sendungs|artikel|serien|vertrags)-?nr\b | \b(?:commande|colis|facture|dossier
|réservation|billet|vol)\b
| \b(?:pedido|factura|reserva|billete|vuelo|referencia|expediente)\b | \b(?:ordine|pratica|fattura|spedizione|prenotazione)\b
| \b(?:encomenda|fatura|pedido)\b | \b(?:bestelling|factuur)\w*\b | \b(?:zamówieni\w+|faktur\w+|přesílk\w+|objednávk\w+)\b
| \b(?:order|beställning)\w*\b
| заказ | 订单 | 注文 | 주문
"""
_TOPICS = {
    name: re.compile(pattern, re.I | re.X)
    for name, pattern in (("telephone", _TELEPHONE), ("card", _CARD), ("account", _ACCOUNT), ("other", _OTHER))
}


def topic(said: Said, start: int) -> str | None:
    """What a number is called: ``telephone``, ``card``, ``account``, ``other`` (an order, a ticket, a flight ...), or None.

    Args:
        said: the turn.
        start: where the number begins.
    """
    named = _nearest(said.text[max(0, start - _NEAR) : start])
    return named or (_nearest(said.before[-2 * _NEAR :]) if start <= _ANSWER else None)


def names_account(word: str) -> bool:
    """Whether a word by itself names an account or identity number: ``BLZ``, ``MRN``."""
    return bool(_TOPICS["account"].fullmatch(word.strip(" .")))


def _nearest(text: str) -> str | None:
    """Of the words in a text the last; where several end there, the longest."""
    matches = [
        (match.end(), -match.start(), -rank, name)
        for rank, (name, pattern) in enumerate(_TOPICS.items())
        for match in pattern.finditer(text)
    ]
    return max(matches)[-1] if matches else None


def called_telephone_after(said: Said, end: int) -> bool:
    """Whether what follows a number in its sentence calls it a telephone: "is my work mobile"."""
    sentence = re.split(r"[.!?;\n]", said.text[end : end + _ANSWER])[0]
    return bool(
        re.search(r"\b(?:mobile|cell|phone|landline|contact\s+number|handy|móvil|portable|cellulare)\b", sentence, re.I)
    )
