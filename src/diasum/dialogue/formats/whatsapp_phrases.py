"""What WhatsApp writes into exported chats in place of messages and behind them, by language.

Whole texts (placeholders of media, deleted messages) and the ends of messages (edited, attached). Compared without regard to case.
https://faq.whatsapp.com/1180414079177245 (export of a chat)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Placeholders of media in exports without them: between < and > (Android)
MEDIA: Mapping[str, tuple[str, ...]] = {
    "English": ("media omitted", "video message omitted", "video note omitted", "view once .* omitted"),
    "German": ("medien ausgeschlossen", "medien weggelassen", "videonachricht weggelassen"),
    "Spanish": ("multimedia omitido", "archivo omitido"),
    "French": ("médias omis", "fichier omis"),
    "Italian": ("media omessi", "media omesso"),
    "Portuguese": (
        *(
            "mídia oculta",
            "mídia omitida",
            "arquivo de mídia oculto",
            "ficheiro não revelado",
            "ficheiro multimédia oculto",
        ),
    ),
    "Dutch": ("media weggelaten",),
    "Polish": ("pominięto multimedia", "pliki pominięto"),
    "Czech": ("média vynechány", "média vynechána"),
    "Russian": ("без медиафайлов", "файл пропущен"),
    "Ukrainian": ("медіафайли пропущено", "без медіафайлів", "медіа пропущено"),
    "Turkish": ("medya dahil edilmedi", "medya atlanmış"),
    "Arabic": ("تم استبعاد الوسائط", "تم استثناء الوسائط"),
    "Hebrew": ("המדיה לא נכללה", "המדיה הושמטה", "מדיה הושמטה", "מדיה לא נכללה"),
    "Hindi": ("मीडिया के बिना", "मीडिया शामिल नहीं किया गया"),
    "Indonesian": ("media tidak disertakan",),
    "Chinese": ("省略多媒体文件", "忽略多媒體檔", "省略多媒體檔案", "媒体省略"),
    "Japanese": ("メディアなし", "メディアは含まれていません"),
    "Korean": ("미디어 파일 제외됨", "미디어 파일을 생략한 대화내용"),
    "Swedish": ("media har utelämnats",),
    "Norwegian": ("media utelatt", "uten vedlegg"),
    "Danish": ("mediefil udeladt", "medier udeladt"),
    "Finnish": ("media jätetty pois", "media jätettiin pois"),
    "Hungarian": ("hiányzó médiafájl", "média elhagyva"),
    "Romanian": ("conținut media omis",),
    "Croatian": ("medijski zapis izostavljen",),
    "Slovak": ("médiá vynechané",),
    "Vietnamese": ("bỏ qua media", "bỏ qua tệp phương tiện"),
    "Malay": ("media disingkirkan", "media dikecualikan"),
    "Catalan": ("mitjans omesos",),
}

# The same on iPhones: what kind of thing, then what became of it
OMITTED: Mapping[str, tuple[str, str]] = {
    "English": ("image|video|audio|gif|sticker|document|contact card|video note|voice message", "omitted"),
    "German": ("bild|foto|video|audio|gif|sticker|dokument|kontaktkarte|videonachricht", "weggelassen|ausgelassen"),
    "Spanish": ("imagen|foto|video|vídeo|audio|gif|sticker|documento|tarjeta de contacto", "omitid[oa]"),
    "French": ("image|photo|vidéo|audio|gif|sticker|document|fiche contact", "absente?|omise?|retirée?|manquante?"),
    "Italian": (
        "immagine|foto|video|audio|gif|sticker|documento|scheda contatto",
        "omess[oa]|non inclus[oa]|esclus[oa]",
    ),
    "Portuguese": (
        "imagem|foto|vídeo|áudio|gif|figurinha|sticker|documento|cartão (?:do|de) contato",
        "omitid[oa]|ocultad[oa]|ocult[oa]",
    ),
    "Dutch": ("afbeelding|foto|video|audio|gif|sticker|document|contactkaart", "weggelaten"),
    "Polish": ("obraz|zdjęcie|wideo|film|audio|gif|naklejk[aę]|dokument|wizytówk[aę]", "pominięt[oaey]|usunięto"),
    "Russian": (
        "изображение|фото|видео|аудиофайл|аудио|gif|стикер|документ|карточка контакта",
        "отсутствует|пропущен[оа]?|не включен[оа]?",
    ),
    "Turkish": ("görüntü|resim|video|ses|gif|çıkartma|belge|doküman|kişi kartı", "dahil edilmedi|atlandı"),
    "Arabic": (
        "الصورة|صورة|الفيديو|فيديو|الصوت|المقطع الصوتي|gif|الملصق|ملصق|المستند|مستند",
        "تم استبعاده?ا?|غير مدرجة?|محذوفة?",
    ),
    "Hebrew": (
        "התמונה|תמונה|הסרטון|סרטון|וידאו|השמע|אודיו|gif|הסטיקר|סטיקר|מדבקה|המסמך|מסמך",
        "הושמטה?|מושמטת?|לא נכללה?",
    ),
    "Hindi": ("इमेज|फोटो|वीडियो|ऑडियो|gif|स्टिकर|दस्तावेज़", "छोड़ा गया|छोड़ दिया गया|शामिल नहीं"),
    "Indonesian": ("gambar|foto|video|audio|gif|stiker|dokumen|kartu kontak", "tidak disertakan|dihilangkan"),
    "Chinese": (
        "图像|图片|圖片|影像|视频|視訊|音频|音訊|语音|gif|贴图|貼圖|文件|文档|名片|联系人名片",
        "已忽略|已略去|已略過|已省略|省略",
    ),
    "Japanese": (
        "画像|動画|音声|gif|スタンプ|ステッカー|ドキュメント|連絡先カード",
        "は含まれていません|が省略されました|は省略されました",
    ),
    "Korean": ("이미지|사진|동영상|오디오|gif|스티커|문서|연락처 카드", "누락됨|생략됨|제외됨"),
    "Swedish": ("bild|video|ljud|gif|klistermärke|dokument|kontaktkort", "utelämnad|utelämnat|har utelämnats"),
}

ATTACHED: Mapping[str, tuple[str, ...]] = {
    "English": ("file attached",),
    "German": ("datei angehängt",),
    "Spanish": ("archivo adjunto",),
    "French": ("fichier joint",),
    "Italian": ("file allegato",),
    "Portuguese": ("arquivo anexado", "ficheiro anexado"),
    "Dutch": ("bestand bijgevoegd",),
    "Polish": ("plik załączony", "załączony plik"),
    "Czech": ("soubor byl přiložen",),
    "Russian": ("файл добавлен",),
    "Ukrainian": ("файл додано", "файл вкладено"),
    "Turkish": ("dosya ekli",),
    "Arabic": ("الملف مرفق", "ملف مرفق"),
    "Hebrew": ("קובץ מצורף", "הקובץ מצורף"),
    "Hindi": ("फ़ाइल संलग्न है", "फ़ाइल संलग्न"),
    "Indonesian": ("file terlampir",),
    "Chinese": ("文件附件", "檔案附件", "附件檔案"),
    "Japanese": ("添付ファイル", "ファイル添付"),
    "Korean": ("파일 첨부됨", "첨부 파일"),
    "Swedish": ("fil bifogad", "bifogad fil"),
}

DELETED: Mapping[str, tuple[str, ...]] = {
    "English": (
        *("this message was deleted", "you deleted this message", "this message was deleted by admin.*"),
        "this message has been deleted",
    ),
    "German": (
        "diese nachricht wurde gelöscht",
        "du hast diese nachricht gelöscht",
        "diese nachricht wurde von .+ gelöscht",
    ),
    "Spanish": (
        *(
            "se eliminó este mensaje",
            "este mensaje fue eliminado",
            "eliminaste este mensaje",
            "este mensaje se eliminó",
        ),
        "(?:has )?eliminado este mensaje",
    ),
    "French": ("ce message a été supprimé", "vous avez supprimé ce message"),
    "Italian": ("questo messaggio è stato eliminato", "hai eliminato questo messaggio"),
    "Portuguese": (
        *(
            "mensagem apagada",
            "(?:esta|essa) mensagem foi apagada",
            "(?:você )?apagou esta mensagem",
            "eliminou esta mensagem",
        ),
        *("(?:você )?apagou essa mensagem", "esta mensagem foi eliminada"),
    ),
    "Dutch": ("dit bericht is verwijderd", "(?:je|u) hebt dit bericht verwijderd"),
    "Polish": ("ta wiadomość została usunięta", "usunięto tę wiadomość", "usun(?:ąłeś|ęłaś|ięto).{0,20} tę wiadomość"),
    "Czech": ("tato zpráva byla (?:odstraněna|smazána)", "(?:odstranili|smazali) jste tuto zprávu"),
    "Russian": ("(?:данное |это )?сообщение (?:было )?удалено", "вы удалили (?:данное|это) сообщение"),
    "Ukrainian": ("(?:це |дане )?повідомлення (?:було )?видалено", "ви видалили (?:це|дане) повідомлення"),
    "Turkish": ("bu mesaj silindi", "bu mesajı sildiniz"),
    "Arabic": ("تم حذف هذه الرسالة", "لقد حذفت هذه الرسالة", "حذفت هذه الرسالة", "لقد قمت بحذف هذه الرسالة"),
    "Hebrew": ("הודעה זו נמחקה", "ההודעה נמחקה", "מחקת הודעה זו", "מחקת את ההודעה הזו"),
    "Hindi": (
        "यह (?:मैसेज|संदेश) (?:हटा|डिलीट कर) दिया गया(?: था| है)?",
        "आपने यह (?:मैसेज|संदेश) (?:हटा|डिलीट कर) दिया(?: है)?",
        "यह मैसेज मिटा दिया गया(?: है)?",
    ),
    "Indonesian": ("pesan ini (?:telah )?dihapus", "anda (?:telah )?menghapus pesan ini"),
    "Chinese": (
        "此消息已删除",
        "[你您]已?删除了?(?:此|这条)消息",
        "此訊息已刪除",
        "這則訊息已刪除",
        "[你您]已?刪除了?(?:此|這則)訊息",
        "此消息已被删除",
    ),
    "Japanese": ("このメッセージは削除されました", "(?:この)?メッセージを削除しました"),
    "Korean": ("삭제된 메시지입니다", "(?:이 )?메시지를 삭제했습니다", "이 메시지는 삭제되었습니다"),
    "Swedish": (
        "(?:detta|det här) meddelandet? (?:raderades|har raderats)",
        "du raderade (?:detta|det här) meddelandet?",
    ),
}

EDITED: Mapping[str, tuple[str, ...]] = {
    "English": ("this message was edited",),
    "German": ("diese nachricht wurde bearbeitet",),
    "Spanish": ("se editó este mensaje", "este mensaje fue editado", "este mensaje se editó", "mensaje editado"),
    "French": ("ce message a été modifié",),
    "Italian": ("questo messaggio è stato modificato",),
    "Portuguese": ("mensagem editada", "(?:esta|essa) mensagem foi editada"),
    "Dutch": ("dit bericht is bewerkt",),
    "Polish": ("(?:ta )?wiadomość została (?:zmieniona|edytowana)",),
    "Russian": ("(?:данное |это )?сообщение (?:было )?(?:изменено|отредактировано)",),
    "Ukrainian": ("(?:це )?повідомлення (?:було )?(?:змінено|відредаговано)",),
    "Turkish": ("bu mesaj düzenlendi",),
    "Arabic": ("تم تعديل هذه الرسالة", "تم تعديل الرسالة"),
    "Hebrew": ("ההודעה נערכה", "הודעה זו נערכה"),
    "Hindi": ("यह (?:मैसेज|संदेश) एडिट किया गया(?: था| है)?", "इस (?:मैसेज|संदेश) में बदलाव किया गया(?: था| है)?"),
    "Indonesian": ("pesan ini (?:telah )?diedit",),
    "Chinese": ("此消息已编辑", "此訊息已編輯", "消息已编辑", "訊息已編輯", "已编辑", "已編輯"),
    "Japanese": ("このメッセージは編集されました", "編集済み"),
    "Korean": ("수정된 메시지입니다", "이 메시지는 수정되었습니다", "편집된 메시지"),
    "Swedish": ("(?:detta|det här) meddelandet? (?:redigerades|har redigerats)",),
}


def any_of(table: Mapping[str, Iterable[str]]) -> str:
    """The phrases of all languages as one alternation."""
    return "|".join(dict.fromkeys(phrase for phrases in table.values() for phrase in phrases))


def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)
