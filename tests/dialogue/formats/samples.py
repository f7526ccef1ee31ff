"""Small contents of each format, to be mutated; one name may have several."""

from __future__ import annotations

import json

from tests.dialogue.formats import reading, test_discord, test_irc_and_line, test_slack, test_telegram, test_whatsapp

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
    "line": [text.encode() for text in (test_irc_and_line.LINE, test_irc_and_line.PHONE, test_irc_and_line.DESKTOP)],
}
SAMPLES["whatsapp"].append("١٤/١٠/٢٠٢١، ٣:٣٤ م - آنا: مرحبا\n١٤/١٠/٢٠٢١، ٣:٣٥ م - Ben: <Media omitted>\n".encode())
for folder in sorted(reading.FIXTURES.iterdir()):
    SAMPLES[folder.name] = [file.read_bytes() for file in sorted(folder.iterdir()) if file.stat().st_size < 8000]
