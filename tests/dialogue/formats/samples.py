"""Small contents of each format, to be mutated; one name may have several."""

from __future__ import annotations

import json

from tests.dialogue.formats import (
    message_tables,
    reading,
    test_assistant_exports,
    test_assistants,
    test_discord,
    test_helpdesk,
    test_irc_and_line,
    test_mail,
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
    *(write(message_tables.ZENDESK) for write in message_tables.KINDS.values()),
    *(
        json.dumps(tree).encode()
        for tree in ({"messages": test_assistants.MESSAGES}, {"conversations": test_assistants.SHARED})
    ),
]
SAMPLES["whatsapp"].append("١٤/١٠/٢٠٢١، ٣:٣٤ م - آنا: مرحبا\n١٤/١٠/٢٠٢١، ٣:٣٥ م - Ben: <Media omitted>\n".encode())
for folder in sorted(reading.FIXTURES.iterdir()):
    SAMPLES[folder.name] = [file.read_bytes() for file in sorted(folder.iterdir()) if file.stat().st_size < 8000]
SAMPLES["whisper"] = [
    b'{"text": " Hi all. Yes.", "language": "en", "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": " Hi all.", "speaker": '
    b'"SPEAKER_00"}, {"id": 1, "start": 1.5, "end": 2.0, "text": " Yes."}]}',
    b'{"utterances": [{"speaker": "A", "text": "Hi all.", "start": 0, "end": 1500, "confidence": 0.9}], '
    b'"text": "Hi all.", "status": "completed"}',
]
SAMPLES["assistants"] = [
    b'{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Lunch?"}]}, '
    b'{"role": "assistant", "content": "At one.", "tool_calls": []}]}\n',
    b'[{"id": "x", "conversations": [{"from": "human", "value": "Lunch?"}, {"from": "gpt", "value": "At one."}]}]',
]
SAMPLES["mail"] = [
    b"From: Ana Li <ana@x.org>\nTo: ben@x.org\nSubject: Lunch\nDate: Sun, 12 May 2024 10:00:00 +0200\n"
    b"Message-ID: <1@x.org>\n\nLunch at one?\n\n"
    b"-- \nAna\n",
    b"From ana@x.org Sun May 12 10:00:00 2024\nFrom: ana@x.org\nSubject: Lunch\nMessage-ID: <1@x.org>\n\nLunch?\n\n"
    b"From ben@x.org Sun May 12 11:00:00 2024\nFrom: ben@x.org\nSubject: Re: Lunch\nIn-Reply-To: <1@x.org>\n\nYes.\n\n"
    b"On Sun, Ana Li wrote:\n> Lunch?\n",
]
SAMPLES["helpdesk"] = [
    test_helpdesk.written(tree)
    for tree in ({"tickets": test_helpdesk.TICKETS, "users": test_helpdesk.USERS}, [test_helpdesk.CONVERSATION])
]
SAMPLES["assistant"] = [
    json.dumps(tree).encode() for tree in ([test_assistant_exports.CHATGPT], [test_assistant_exports.CLAUDE])
]
SAMPLES["messages"] = [
    b"start,end,text\n0,1500,Hi.\n1500,4000,Ho.\n",
    b"ticket_id,author,body,created_at\n1,Ana,Hi,12/05/2024 10:00\n1,Ben,Ho,13/05/2024 10:01 PM\n",
    b"ticket_id,author,body,created_at\n1,Ana,Hi,2024-05-12T10:00:00Z\n1,Ben,Ho,2024-05-12T10:01:00Z\n2,Ana,Again,2024-05-13T10:00:00Z\n",
]
