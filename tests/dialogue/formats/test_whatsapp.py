"""WhatsApp's exports: both telephones, many languages, scripts and orders of the date; what is no speech."""

from __future__ import annotations

from datetime import datetime

import pytest

from diasum.dialogue.formats.whatsapp_phrases import MEDIA
from diasum.errors import DiasumError
from tests.dialogue.formats.reading import read, read_all, turns

LRM = "\u200e"


def test_a_line_without_a_stamp_continues_the_message() -> None:
    one = read("[14/10/2021, 3:34:09 PM] Ana: Hi\nline two: more\n[14/10/2021, 3:35:00 PM] Ben: ok")
    assert turns(one) == [("Ana", "Hi line two: more"), ("Ben", "ok")]
    assert [turn.source for turn in one.dialogue.turns] == [1, 3]
    assert [turn.start for turn in one.dialogue.turns] == [0, 51]
    assert one.began == datetime(2021, 10, 14, 15, 34, 9)
    assert one.reason == "WhatsApp export (iPhone), dates day first"


@pytest.mark.parametrize(
    ("line", "began"),
    [
        ("2016-06-27, 8:04:08 AM: Ana: Hi", datetime(2016, 6, 27, 8, 4, 8)),
        ("[14/10/2021, 3:34:09 PM] Ana: Hi", datetime(2021, 10, 14, 15, 34, 9)),
        ("[14/10/21, 03:34:09] Ana: Hi", datetime(2021, 10, 14, 3, 34, 9)),
        ("[14-10-2021 15:34:09] Ana: Hi", datetime(2021, 10, 14, 15, 34, 9)),
        ("14-10-2021 15:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14/10/21, 3:34\u202fPM - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("10/14/21, 3:34 PM - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14/10/21 3:34 p.\u00a0m. - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14.10.21, 15:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14. 10. 2021 15:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14.10.2021 18.00 - Ana: Hi", datetime(2021, 10, 14, 18, 0)),
        ("14/10/2021 à 15:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14.10.21 г., 15:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("2021/10/14 下午3:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("2021/10/14 上午12:34 - Ana: Hi", datetime(2021, 10, 14, 0, 34)),
        ("2021年10月14日 晚上8:34 - Ana: Hi", datetime(2021, 10, 14, 20, 34)),
        ("2021. 10. 14. 오후 3:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14.10.2021 ÖS 3:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14/10/21, 3:34 μ.μ. - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14.10.2021 3.34 ip. - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ('[14.10.2021, 3:34:09 אחה"צ] Ana: Hi', datetime(2021, 10, 14, 15, 34, 9)),
        ("\u200f١٤\u200f/١٠\u200f/٢٠٢١، ٣:٣٤ م - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("\u200f[١٤/١٠/٢٠٢١، ٣:٣٤:٠٩ ص] Ana: Hi", datetime(2021, 10, 14, 3, 34, 9)),
        ("१४/१०/२०२१, ३:३४ अपराह्न - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("১৪/১০/২০২১, ৩:৩৪ PM - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("14/10/2564 15:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("[15:34, 14/10/2021] Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        ("[3:34 PM, 10/14/2021] Ana: Hi", datetime(2021, 10, 14, 15, 34)),
        (f"{LRM}[14/10/21, 15:34:09] Ana: Hi", datetime(2021, 10, 14, 15, 34, 9)),
        ("\ufeff14/10/21, 15:34 - Ana: Hi", datetime(2021, 10, 14, 15, 34)),
    ],
)
def test_stamps(line: str, began: datetime) -> None:
    one = read(line + "\n")
    assert (one.format, turns(one), one.began) == ("whatsapp", [("Ana", "Hi")], began)


@pytest.mark.parametrize(
    ("dates", "order", "told"),
    [
        (["05/06/24", "13/06/24"], "day first", False),
        (["06/05/24", "06/13/24"], "month first", False),
        (["30/01/24", "02/02/24", "03/02/24"], "day first", False),
        (["1/2/24", "1/3/24", "2/1/24"], "month first", False),
        (["1/2/24", "2/2/24", "1/3/24"], "day first", False),
        (["5/6/24", "6/6/24"], "month first", True),
        (["05/06/24", "06/06/24"], "day first", True),
        (["5.6.24", "6.6.24"], "day first", True),
        (["6/6/24", "6/6/24"], "month first", False),
        (["2024-06-05", "2024-06-06"], "year first", False),
    ],
)
def test_the_order_of_day_and_month_is_decided_by_all_dates(dates: list[str], order: str, told: bool) -> None:
    one = read("".join(f"{date}, 10:00 - Ana: Hi\n" for date in dates))
    assert one.reason.endswith(f"dates {order}")
    assert bool(one.notes) == told
    if told:
        assert f"no date tells whether day or month comes first; read as {order}" in one.notes[0]


ANDROID = """12/05/24, 10:33 - {notice}
12/05/24, 10:33 - Ana: Hi
12/05/24, 10:34 - Ben: {media}
13/05/24, 10:34 - Ben: IMG-20240512-WA0001.jpg ({attached})
look: nice
13/05/24, 10:35 - Ana: {deleted}
13/05/24, 10:36 - Ana: See you <{edited}>
13/05/24, 10:37 - {call}
13/05/24, 10:38 - {joined}
"""
IPHONE = """[12/05/24, 10:33:00] Project: Alpha: \u200e{notice}
[12/05/24, 10:33:01] Ana: Hi
[12/05/24, 10:34:00] Ben: \u200e{omitted}
\u200e[13/05/24, 10:34:00] Ben: \u200e<{attached}: 00000012-PHOTO-2024-05-12-10-32-11.jpg>
look: nice
[13/05/24, 10:35:00] Ana: \u200e{deleted}
[13/05/24, 10:36:00] Ana: See you \u200e<{edited}>
[13/05/24, 10:37:00] Ben: \u200e{call}
[13/05/24, 10:38:00] Ana: \u200e{joined}
"""
LANGUAGES = {
    "English": {
        "notice": "Messages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can read them.",
        "media": "<Media omitted>", "omitted": "image omitted", "attached": "file attached", "deleted": "This message was deleted",
        "edited": "This message was edited", "call": "Missed voice call", "joined": "Ana added Cy",
    },
    "German": {
        "notice": "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt. Niemand außerhalb dieses Chats kann sie lesen.",
        "media": "<Medien ausgeschlossen>", "omitted": "Bild weggelassen", "attached": "Datei angehängt",
        "deleted": "Diese Nachricht wurde gelöscht.", "edited": "Diese Nachricht wurde bearbeitet.", "call": "Verpasster Sprachanruf",
        "joined": "Ana hat Cy hinzugefügt",
    },
    "Spanish": {
        "notice": "Los mensajes y las llamadas están cifrados de extremo a extremo. Nadie fuera de este chat puede leerlos.",
        "media": "<Multimedia omitido>", "omitted": "imagen omitida", "attached": "archivo adjunto", "deleted": "Se eliminó este mensaje.",
        "edited": "Se editó este mensaje.", "call": "Llamada perdida", "joined": "Ana añadió a Cy",
    },
    "French": {
        "notice": "Les messages et les appels sont chiffrés de bout en bout. Aucun tiers ne peut les lire.",
        "media": "<Médias omis>", "omitted": "image absente", "attached": "fichier joint", "deleted": "Ce message a été supprimé",
        "edited": "Ce message a été modifié", "call": "Appel vocal manqué", "joined": "Ana a ajouté Cy",
    },
    "Italian": {
        "notice": "I messaggi e le chiamate sono crittografati end-to-end. Nessuno al di fuori di questa chat può leggerli.",
        "media": "<Media omessi>", "omitted": "immagine omessa", "attached": "file allegato",
        "deleted": "Questo messaggio è stato eliminato", "edited": "Questo messaggio è stato modificato", "call": "Chiamata vocale persa",
        "joined": "Ana ha aggiunto Cy",
    },
    "Portuguese": {
        "notice": "As mensagens e as chamadas são protegidas com a criptografia de ponta a ponta.",
        "media": "<Mídia oculta>", "omitted": "imagem ocultada", "attached": "arquivo anexado", "deleted": "Mensagem apagada",
        "edited": "Mensagem editada", "call": "Chamada de voz perdida", "joined": "Ana adicionou Cy",
    },
    "Dutch": {
        "notice": "Berichten en gesprekken worden end-to-end versleuteld. Niemand buiten deze chat kan ze lezen.",
        "media": "<Media weggelaten>", "omitted": "afbeelding weggelaten", "attached": "bestand bijgevoegd",
        "deleted": "Dit bericht is verwijderd", "edited": "Dit bericht is bewerkt", "call": "Gemiste spraakoproep",
        "joined": "Ana heeft Cy toegevoegd",
    },
    "Polish": {
        "notice": "Wiadomości i połączenia są w pełni szyfrowane. Nikt spoza tego czatu nie może ich odczytać.",
        "media": "<Pominięto multimedia>", "omitted": "obraz pominięto", "attached": "plik załączony",
        "deleted": "Ta wiadomość została usunięta", "edited": "Ta wiadomość została zmieniona", "call": "Nieodebrane połączenie głosowe",
        "joined": "Ana dodała Cy",
    },
    "Russian": {
        "notice": "Сообщения и звонки защищены сквозным шифрованием. Третьи лица не могут их прочитать.",
        "media": "<Без медиафайлов>", "omitted": "изображение отсутствует", "attached": "файл добавлен",
        "deleted": "Данное сообщение удалено", "edited": "Сообщение изменено", "call": "Пропущенный аудиозвонок",
        "joined": "Ana добавил(-а) Cy",
    },
    "Turkish": {
        "notice": "Mesajlar ve aramalar uçtan uca şifrelidir. Bu sohbetin dışındaki hiç kimse bunları okuyamaz.",
        "media": "<Medya dahil edilmedi>", "omitted": "görüntü dahil edilmedi", "attached": "dosya ekli", "deleted": "Bu mesaj silindi",
        "edited": "Bu mesaj düzenlendi", "call": "Cevapsız sesli arama", "joined": "Ana, Cy kişisini ekledi",
    },
    "Arabic": {
        "notice": "الرسائل والمكالمات مشفرة تمامًا بين الطرفين: لا أحد خارج هذه الدردشة يستطيع قراءتها.",
        "media": "<تم استبعاد الوسائط>", "omitted": "صورة تم استبعادها", "attached": "الملف مرفق", "deleted": "تم حذف هذه الرسالة",
        "edited": "تم تعديل هذه الرسالة", "call": "مكالمة صوتية فائتة", "joined": "أضاف Ana ‏Cy",
    },
    "Hebrew": {
        "notice": "הודעות ושיחות מוצפנות מקצה לקצה: אף אחד מחוץ לצ'אט הזה לא יכול לקרוא אותן.",
        "media": "<המדיה לא נכללה>", "omitted": "התמונה הושמטה", "attached": "קובץ מצורף", "deleted": "הודעה זו נמחקה",
        "edited": "ההודעה נערכה", "call": "שיחה קולית שלא נענתה", "joined": "Ana הוסיף/ה את Cy",
    },
    "Hindi": {
        "notice": "मैसेज और कॉल एंड-टू-एंड एन्क्रिप्टेड हैं.", "media": "<मीडिया के बिना>", "omitted": "इमेज छोड़ा गया",
        "attached": "फ़ाइल संलग्न है", "deleted": "यह मैसेज हटा दिया गया है", "edited": "यह मैसेज एडिट किया गया", "call": "मिस्ड वॉइस कॉल",
        "joined": "Ana ने Cy को जोड़ा",
    },
    "Indonesian": {
        "notice": "Pesan dan panggilan terenkripsi secara end-to-end.", "media": "<Media tidak disertakan>",
        "omitted": "gambar tidak disertakan", "attached": "file terlampir", "deleted": "Pesan ini telah dihapus",
        "edited": "Pesan ini diedit",        "call": "Panggilan suara tak terjawab", "joined": "Ana menambahkan Cy",
    },
    "Chinese": {
        "notice": "消息和通话已进行端到端加密。", "media": "<省略多媒体文件>", "omitted": "图像已忽略", "attached": "文件附件",
        "deleted": "此消息已删除", "edited": "此消息已编辑", "call": "未接语音通话", "joined": "Ana添加了Cy",
    },
    "Japanese": {
        "notice": "メッセージと通話はエンドツーエンドで暗号化されています。", "media": "<メディアは含まれていません>",
        "omitted": "画像は含まれていません", "attached": "添付ファイル", "deleted": "このメッセージは削除されました",
        "edited": "このメッセージは編集されました", "call": "音声通話の不在着信", "joined": "AnaがCyを追加しました",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("telephone", [ANDROID, IPHONE])
def test_what_is_no_speech_in_many_languages(language: str, telephone: str) -> None:
    phrases = LANGUAGES[language]
    assert language in MEDIA
    one = read(telephone.format(**phrases))
    assert turns(one) == [("Ana", "Hi"), ("Ben", "look: nice"), ("Ana", "See you")]
    assert one.left_out == {"notice": 1, "media": 2, "deleted": 1, "edit": 1, "call": 1, "join": 1}
    kept = read(telephone.format(**phrases), keep_nonspeech=True)
    assert len(kept.dialogue) == 10
    assert kept.dialogue.speakers == ("Ana", "Ben")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<Media omitted>", "media"),
        ("null", "media"),
        ("<attached: x.jpg>", "media"),
        ("<pièce jointe : x.jpg>", "media"),
        ("GIF omitted", "media"),
        ("Plan.pdf • 3 pages \u200edocument omitted", "media"),
        ("sticker omitted", "sticker"),
        ("STK-20240512-WA0001.webp (file attached)", "sticker"),
        ("Ana Li.vcf (file attached)", "contact"),
        ("You deleted this message", "deleted"),
        ("This message was deleted by admin Cy.", "deleted"),
        ("Missed group video call", "call"),
        ("Voice call, 3 min", "call"),
        ("location: https://maps.google.com/?q=52.5,13.4", "location"),
        ("POLL:\nLunch?\nOPTION: Yes (2 votes)\nOPTION: No (0 votes)", "poll"),
        ("<Media omitted>\n4Bit Adder.mod", "media"),
        ("Your security code with Ana changed. Tap to learn more.", "notice"),
        ("", "empty"),
    ],
)
@pytest.mark.parametrize("stamp", ["12/05/24, 10:33 - ", "[12/05/24, 10:33:01] "])
def test_placeholders_and_notices(stamp: str, text: str, kind: str) -> None:
    one = read(f"{stamp}Ana: Hi\n{stamp}Ben: {text}\n{stamp}Ana: So?")
    assert turns(one) == [("Ana", "Hi"), ("Ana", "So?")]
    assert one.left_out == {kind: 1}


@pytest.mark.parametrize(
    "text",
    [
        "I missed a voice call from you, sorry",
        "Voice calls are cheap?",
        "see report.pdf (final version)",
        "<3",
        "null and void",
        "Location: the old harbour",
        "this message was deleted twice, why?",
        "I added sugar: two spoons",
        "the image omitted my name",
        'she said: "no"',
        "https://example.org/a: look",
        "We left. 10:30 - 11:30 is free",
    ],
)
@pytest.mark.parametrize("stamp", ["12/05/24, 10:33 - ", "[12/05/24, 10:33:01] "])
def test_what_only_looks_like_one_is_speech(stamp: str, text: str) -> None:
    one = read(f"{stamp}Ana: {text}\n{stamp}Ben: ok")
    assert turns(one) == [("Ana", text), ("Ben", "ok")]
    assert not one.left_out


@pytest.mark.parametrize(
    "notice",
    [
        'Ana created group "Trip: Rome"',
        'Ana changed the subject from "A: B" to "C: D"',
        'Ana hat den Betreff von "A: B" zu "C: D" geändert',
        'Ana näytti ryhmän uuden nimen "Trip: Rome"',
        "Ana changed this group's icon",
        "Ana changed this group's description: see below",
    ],
)
def test_notices_that_quote_a_colon_name_no_speaker(notice: str) -> None:
    one = read(f"12/05/24, 10:33 - {notice}\n12/05/24, 10:34 - Ana: Hi\n12/05/24, 10:35 - Ben: Yo")
    assert one.dialogue.speakers == ("Ana", "Ben")
    assert one.left_out == {"notice": 1}


def test_a_placeholder_in_an_unknown_language_is_known_by_its_coming_again() -> None:
    lines = ["Ana: <ឯកសារត្រូវបានលុប>", "Ben: <ឯកសារត្រូវបានលុប>", "Ben: <waves from afar>"]
    one = read("".join(f"12/05/24, 10:33 - {line}\n" for line in lines))
    assert turns(one) == [("Ben", "<waves from afar>")]
    assert one.left_out == {"media": 2}


def test_senders_without_a_name_of_ours() -> None:
    one = read(
        "12/05/24, 10:33 - \u202a+49 170 1234567\u202c: Hi.\n12/05/24, 10:33 - ~\u202fMax M.: Yo.\n12/05/24, 10:34 - Ben 🎉: Hm."
    )
    assert one.dialogue.speakers == ("+49 170 1234567", "Max M.", "Ben 🎉")


def test_a_chat_quoted_in_a_message_stays_in_it() -> None:
    text = "".join(f"12/05/24, 10:3{i} - Ana: {i}\n" for i in range(5))
    one = read(f"{text}12/05/24, 10:39 - Ben: he wrote\n[11/05/2024, 09:00:00] Cy: no\n")
    assert turns(one)[-1] == ("Ben", "he wrote [11/05/2024, 09:00:00] Cy: no")


def test_two_telephones_exports_in_one_file() -> None:
    one = read(
        "12/05/24, 10:31 - Ana: 1\n12/05/24, 10:32 - Ana: 2\n[12/05/2024, 10:33:00] Ben: 3\n[12/05/2024, 10:34:00] Ben: 4\n"
    )
    assert [speaker for speaker, _ in turns(one)] == ["Ana", "Ana", "Ben", "Ben"]


def test_what_stands_before_the_first_stamp_is_kept() -> None:
    one = read("the rest of a message\n12/05/24, 10:31 - Ana: 1\n12/05/24, 10:32 - Ben: 2\n")
    assert turns(one)[0] == ("", "the rest of a message")


def test_pauses_cut_a_chat_of_months() -> None:
    text = "".join(f"{day:02}/05/24, {hour}:00 - Ana: {day} {hour}\n" for day in (1, 2, 13) for hour in (10, 11))
    parts = read_all(text, split_pause="12h")
    assert [len(part.dialogue) for part in parts] == [2, 2, 2]
    assert [part.dialogue.turns[0].source for part in parts] == [1, 3, 5]


def test_no_such_date_is_no_crash() -> None:
    one = read("31/02/24, 10:31 - Ana: 1\n12/02/24, 10:32 - Ben: 2\n99/99/99, 10:32 - Ben: 3\n")
    assert turns(one) == [("Ana", "1"), ("Ben", "2"), ("Ben", "3")]


def test_a_file_that_is_none() -> None:
    with pytest.raises(DiasumError, match="no line begins with a date and a time"):
        read("Ana: Hi\nBen: Ho\n", format="whatsapp")


def test_a_message_of_very_many_lines_takes_no_time() -> None:
    text = "12/05/24, 10:31 - Ana: 1" + "\n" * 300_000 + "end\n12/05/24, 10:32 - Ben: 2\n"
    assert turns(read(text)) == [("Ana", "1 end"), ("Ben", "2")]


def test_a_group_whose_name_has_a_colon_says_nothing() -> None:
    stamp = "[12/05/24, 10:33:00] "
    notices = [
        "\u200eMessages and calls are end-to-end encrypted.",
        "\u200eAna created this group",
        "\u200eAna added Ben",
    ]
    text = "".join(f"{stamp}Project: Alpha: {notice}\n" for notice in notices)
    one = read(f"{text}{stamp}Ana: Hi: all\n{stamp}Ben: look: \u200e<attached: x.jpg>\n")
    assert one.dialogue.speakers == ("Ana", "Ben")
    assert turns(one)[0] == ("Ana", "Hi: all")
    assert one.left_out == {"notice": 2, "join": 1}


def test_a_caption_in_the_line_of_its_file() -> None:
    stamp = "[12/05/24, 10:33:00] "
    one = read(f"{stamp}Ana: \u200e<attached: 00000012-PHOTO.jpg> Look: here\n{stamp}Ben: live location shared\n")
    assert turns(one) == [("Ana", "Look: here")]
    assert one.left_out == {"media": 1, "location": 1}
