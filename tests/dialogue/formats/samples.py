"""Small contents of each format, to be mutated; one name may have several."""

from __future__ import annotations

import json

from tests.dialogue.formats import (
    reading,
    test_assistants,
    test_discord,
    test_irc_and_line,
    test_mail,
    test_messages_tables,
    test_recognised,
    test_slack,
    test_telegram,
    test_whatsapp,
)

SAMPLES: dict[str, list[bytes]] = {
    "plain": [
        b"Ana: Lunch?\nBen: At nine.\n",
        b"[00:12] Ana: Hi\nline two: more\n[00:15] Ben: ok\n",
        b"It rained.\nWe stayed in.\n",
    ],
    "table": [
        b'{"id": "a", "dialogue": "Ana: Lunch?\\nBen: At nine."}\n{"id": "b", "turns": [{"speaker": "Ana", "text": "Hi"}]}\n',
        b'[{"speaker": "Ana", "text": "Hi"}, {"speaker": "Ben", "text": "Ho"}]',
    ],
    "whatsapp": [
        template.format(**phrases).encode()
        for phrases in (test_whatsapp.LANGUAGES[name] for name in ("English", "German", "Arabic", "Chinese"))
        for template in (test_whatsapp.ANDROID, test_whatsapp.IPHONE)
    ],
    "slack": [json.dumps(test_slack.DAY_1).encode(), json.dumps(test_slack.DAY_2).encode()],
    "telegram": [
        json.dumps(test_telegram.CHAT).encode(),
        json.dumps({"chats": {"list": [test_telegram.CHAT]}, "about": "x"}, indent=1).encode(),
    ],
    "discord": [json.dumps(test_discord.EXPORT).encode()],
    "irc": [text.encode() for text in (test_irc_and_line.IRSSI, test_irc_and_line.WEECHAT, test_irc_and_line.ZNC)],
    "zoom_chat": [
        b"00:12:01\t From Ana Li To Everyone : hi\n00:12:09\t From Ben to Ana Li (Privately) : ho\n",
        b'16:05:23 From Ana to Everyone:\n\tShall we start?\n16:05:40 From Cem to Everyone:\n\tReplying to "Shall..."\n\t\n\tYes\n',
    ],
    "whisper": [
        json.dumps(tree).encode()
        for tree in (
            {"text": "", "segments": test_recognised.segments(*test_recognised.TWO, **test_recognised.WHISPER)},
            test_recognised.cpp({"text": " Did you?", "speaker": "0"}, {"text": " Not yet."}),
            {"segments": test_recognised.segments(*test_recognised.TWO, speaker="SPEAKER_00"), "word_segments": []},
        )
    ],
    "assemblyai": [json.dumps(test_recognised.assembly(utterances=test_recognised.UTTERANCES)).encode()],
    "deepgram": [
        json.dumps(
            test_recognised.deepgram({"words": test_recognised.told_apart(test_recognised.WORDS, [0, 1])})
        ).encode()
    ],
    "mail": [
        test_mail.mbox(
            test_mail.mail("ana", "Hello,\n\nmy order is late.\n"),
            test_mail.mail("ben", f"We look.\n\n{test_mail.SIGNED}\n{test_mail.QUOTED}", 2, answers=1),
        ),
        test_mail.mail("ben", f"Sent.\n\n{test_mail.QUOTED}", 2).as_bytes(),
    ],
    "line": [text.encode() for text in (test_irc_and_line.LINE, test_irc_and_line.PHONE, test_irc_and_line.DESKTOP)],
}
SAMPLES["table"] += [
    *(write(test_messages_tables.ZENDESK) for write in test_messages_tables.KINDS.values()),
    *(
        json.dumps(tree).encode()
        for tree in ({"messages": test_assistants.MESSAGES}, {"conversations": test_assistants.SHARED})
    ),
]
SAMPLES["whatsapp"].append("١٤/١٠/٢٠٢١، ٣:٣٤ م - آنا: مرحبا\n١٤/١٠/٢٠٢١، ٣:٣٥ م - Ben: <Media omitted>\n".encode())
for folder in sorted(reading.FIXTURES.iterdir()):
    SAMPLES[folder.name] = [file.read_bytes() for file in sorted(folder.iterdir()) if file.stat().st_size < 8000]
