"""What WhatsApp writes between messages of exported chats, by language: notices, calls, who comes and goes, places and polls.

Beginnings of notices, and words of lines that name no sender; compared without regard to case, as `whatsapp_phrases`.
"""

from __future__ import annotations

from collections.abc import Mapping

# How notices begin that stand under the name of a group or a sender; whatever follows belongs to them
NOTICES: Mapping[str, tuple[str, ...]] = {
    "English": (
        "messages (?:and calls are|to this (?:chat|group).* now secured with|you send to this .* secured with) end-to-end encrypt",
        "messages and calls are end-to-end encrypted",
        "your security code with .+ changed",
        "waiting for this message. this may take a while",
        "this chat is with a business account",
        "this business (?:uses a secure service|works with other companies|is now registered)",
        "(?:disappearing messages were|you) turned (?:on|off)(?: disappearing messages)?[.] ",
    ),
    "German": (
        "die sicherheits(?:nummer|code) (?:von|für) .+ hat sich geändert",
        "nachrichten (?:und anrufe sind|in diesem chat sowie anrufe sind.*|.{0,40}) ?(?:mit )?ende-zu-ende-verschlüssel",
    ),
    "Spanish": ("los mensajes y (?:las )?llamadas .{0,30}cifrad[oa]s",),
    "French": ("les messages et (?:les )?appels sont chiffrés",),
    "Italian": ("i messaggi e le chiamate sono (?:crittografati|protetti)",),
    "Portuguese": ("as mensagens e (?:as )?(?:chamadas|ligações) .{0,40}(?:criptografia|encripta|ponta)",),
    "Dutch": ("berichten en (?:gesprekken|oproepen) (?:worden|zijn) .{0,20}(?:end-to-end|versleuteld)",),
    "Polish": ("wiadomości (?:i|oraz) (?:połączenia|rozmowy) są .{0,30}(?:szyfrowan|chronion|zabezpieczon)",),
    "Czech": ("zprávy a hovory jsou .{0,30}(?:šifrov|zabezpečen)",),
    "Russian": ("сообщения и звонки .{0,40}(?:защищены|шифрован)",),
    "Ukrainian": ("повідомлення (?:й|та|і) дзвінки .{0,40}(?:захищен|шифрув)",),
    "Turkish": (
        "mesajlar ve aramalar uçtan uca şifreli",
        "mesajlar(?:a|ınız)? .{0,40}uçtan uca şifre",
    ),
    "Arabic": ("(?:الرسائل|رسائل) والمكالمات (?:مشفرة|مشفّرة)",),
    "Hebrew": ("ה?הודעות וה?שיחות מוצפנות",),
    "Hindi": ("(?:मैसेज|संदेश) और कॉल .{0,30}(?:एन्क्रिप्ट|एंक्रिप्ट)",),
    "Indonesian": ("pesan dan panggilan .{0,20}(?:terenkripsi|dienkripsi)",),
    "Chinese": ("(?:消息和通话|訊息和通話|訊息及通話|此对话中的消息).{0,20}(?:端到端加密|端對端加密|加密)",),
    "Japanese": ("メッセージと通話は.{0,20}(?:暗号化)",),
    "Korean": ("메시지와 통화는.{0,20}(?:암호화)",),
    "Swedish": ("meddelanden och samtal .{0,30}(?:krypter|kryptera)",),
}

CALLS: Mapping[str, tuple[str, ...]] = {
    "English": (
        r"(?:missed|silenced|declined|cancell?ed|unanswered)? ?(?:group )?(?:voice|video) (?:call|chat)\b",
        "missed group call",
    ),
    "German": (
        "verpasste[rs]? (?:gruppen)?(?:sprach|video)?anruf",
        "entgangener (?:sprach|video)?anruf",
        r"(?:sprach|video)anruf\b",
    ),
    "Spanish": (
        "(?:video)?llamada (?:de voz |de video )?perdida",
        "videollamada perdida",
        r"(?:llamada de voz|videollamada)\b",
    ),
    "French": (r"appel (?:vocal|vidéo)\b", "appel .{0,12}manqué"),
    "Italian": (r"(?:video)?chiamata (?:vocale )?persa", r"(?:videochiamata|chiamata vocale)\b"),
    "Portuguese": (
        "(?:chamada|ligação) (?:de (?:voz|vídeo) )?(?:perdida|não atendida)",
        r"(?:chamada|ligação) de (?:voz|vídeo)\b",
    ),
    "Dutch": ("gemiste (?:spraak|video|groeps)?-?(?:oproep|gesprek)", r"(?:spraakoproep|video-?oproep)\b"),
    "Polish": ("nieodebrane połączenie", r"połączenie (?:głosowe|wideo)\b"),
    "Russian": ("пропущенный (?:аудио|видео|групповой )?\\w*звонок", r"(?:аудио|видео)звонок\b"),
    "Ukrainian": ("пропущений (?:аудіо|відео)?дзвінок",),
    "Turkish": ("cevapsız (?:sesli|görüntülü) arama", r"(?:sesli|görüntülü) arama\b"),
    "Arabic": ("مكالمة (?:صوتية|فيديو|مرئية) (?:فائتة|لم يرد عليها)", "مكالمة (?:صوتية|فيديو)"),
    "Hebrew": ("שיחה קולית שלא נענתה", "שיחת (?:וידאו|קול) שלא נענתה", "שיח(?:ת|ה) (?:וידאו|קולית)"),
    "Hindi": ("मिस्ड (?:वॉइस|वीडियो) कॉल", "(?:वॉइस|वीडियो) कॉल"),
    "Indonesian": ("panggilan (?:suara|video) (?:tak|tidak) terjawab", r"panggilan (?:suara|video)\b"),
    "Chinese": ("未接(?:语音|視訊|视频|語音)(?:通话|通話|来电|來電)", "(?:语音|視訊|视频|語音)(?:通话|通話)"),
    "Japanese": ("(?:音声|ビデオ)通話の不在着信", "(?:音声|ビデオ)通話", "不在着信"),
    "Korean": ("부재중 (?:음성|영상) ?통화", "(?:음성|영상) 통화"),
    "Swedish": ("missat (?:röst|video)samtal", r"(?:röst|video)samtal\b"),
}

# Words of notices about who comes and goes, in lines that name no sender
JOINS: Mapping[str, tuple[str, ...]] = {
    "English": ("joined", "left", "added", "removed", "were added", "was added"),
    "German": ("beigetreten", "verlassen", "hinzugefügt", "entfernt"),
    "Spanish": ("se unió", "te uniste", "salió", "saliste", "añadió", "añadiste", "agregó", "agregaste", "eliminó a"),
    "French": ("a rejoint", "avez rejoint", "a quitté", "a ajouté", "avez ajouté", "a été ajouté", "a retiré"),
    "Italian": ("si è unit", "è entrat", "ha abbandonato", "ha aggiunto", "hai aggiunto", "ha rimosso", "è uscit"),
    "Portuguese": ("entrou", "saiu", "adicionou", "removeu", "foi adicionad"),
    "Dutch": ("neemt .*deel", "is lid geworden", "toegevoegd", "verlaten", "verwijderd"),
    "Polish": ("dołączył", "opuści", "doda[łn]", "usun[ąę]"),
    "Czech": ("připojil", "opustil", "přida[ln]", "odebra"),
    "Russian": ("присоединил", "вступил", "вышел", "вышла", "покинул", "добавил", "удалил"),
    "Ukrainian": ("приєдна", "вийшо", "вийшла", "залиши", "дода", "вилучи"),
    "Turkish": ("katıldı", "ayrıldı", "ekledi", "eklendi", "çıkardı"),
    "Arabic": ("انضم", "غادر", "أضاف", "تمت إضافة", "أزال"),
    "Hebrew": ("הצטרפ", "הצטרף", "עזב", "יצא", "הוסיפ", "הוסיף", "הסיר"),
    "Hindi": ("शामिल हु", "जोड़ा", "छोड़", "निकाला", "हटाया"),
    "Indonesian": ("bergabung", "keluar", "menambahkan", "mengeluarkan", "ditambahkan"),
    "Chinese": ("加入", "离开", "離開", "退出", "添加了", "新增了", "移除"),
    "Japanese": ("参加しました", "退出しました", "追加しました", "削除しました"),
    "Korean": ("참여", "나갔", "추가했", "내보냈"),
    "Swedish": ("gick med", "lämnade", "lade till", "tog bort"),
}

# Notices that quote what somebody wrote, which may hold a colon: who does it has none before the verb
QUOTING = (
    r"changed the (?:subject|group name|group description)|created (?:the )?group|named the group|"
    r"hat (?:den betreff|die gruppe|den gruppennamen|den namen der gruppe)|cambió el (?:asunto|nombre)|"
    r"creó el grupo|a (?:modifié le|changé le|créé le groupe)|ha (?:cambiato|modificato|creato) |"
    r"(?:mudou|alterou|criou) o |heeft (?:het onderwerp|de groep)|zmieni(?:ł|ła|ł\(a\)) |"
    r"utworzy(?:ł|ła|ł\(a\)) |изменил(?:а|\(а\))? |создал(?:а|\(а\))? |mengubah |membuat grup|"
    r"grubun? |konuyu |غير(?:ت)? |أنشأ(?:ت)? |שינה |שינתה |יצר |יצרה |更改了|建立了|创建了|変更しました|作成しました"
)

# How a place and a poll begin
LOCATION = (
    "location|live location|standort|ubicación|localisation|posizione|localização|locatie|lokalizacja|poloha|"
    "местоположение|konum|الموقع|מיקום|लोकेशन|lokasi|位置|位置情報|위치|plats"
)
POLL = (
    "poll|umfrage|encuesta|sondage|sondaggio|enquete|sondagem|peiling|ankieta|опрос|"
    "anket|استطلاع|סקר|पोल|jajak pendapat|polling|投票|アンケート|투표|omröstning"
)
