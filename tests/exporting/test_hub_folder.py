"""A folder for the Hub holds what others need and nothing private; an upload sends it, private unless told otherwise."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

import diasum
from diasum.errors import DiasumError
from diasum.reports.card import write_card
from diasum.training import Run
from tests.exporting.runs import make_run
from tests.models import CONVERSATIONS

TOKEN = "hf_" + "secretsecret" * 3


@pytest.fixture(scope="module")
def run(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = make_run(tmp_path_factory.mktemp("runs") / "first", base, corpus)
    write_card(made)
    settings = {"evaluate.contrast": 0, "evaluate.base_model": False}
    diasum.evaluate(made.path, settings=settings)
    return made


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as an upload needs."""

    server: Any

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({"id": "ana/talks", "private": self.server.private, "siblings": [], "tags": []})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.tokens.add(self.headers.get("Authorization"))
        if self.server.refuses:
            self._answer({"error": f"{TOKEN} may not write"}, 403)
        elif self.path == "/api/repos/create":
            self.server.created = json.loads(body)
            self._answer({"url": f"{self.server.address}/ana/talks", "name": "ana/talks"})
        elif "/preupload/" in self.path:
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(body)["files"]
            ]
            self._answer({"files": files})
        elif "/commit/" in self.path:
            for line in map(json.loads, body.decode().splitlines()):
                if line["key"] == "file":
                    self.server.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer(
                {"commitUrl": f"{self.server.address}/ana/talks/commit/1", "commitOid": "1" * 40, "success": True}
            )
        else:
            self._answer({})

    def _answer(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A hub on loopback, which the client takes for the Hub."""
    running: Any = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    running.address = f"http://127.0.0.1:{running.server_port}"
    running.private, running.refuses, running.created = True, False, {}
    running.files, running.tokens = {}, set()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", running.address)
    monkeypatch.setenv("HF_TOKEN", TOKEN)

    api = huggingface_hub.HfApi
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: api(endpoint=running.address))
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def test_the_folder_has_card_metadata_and_protocol(run: Run, corpus: str) -> None:
    exported = diasum.export(run.path, "hub")
    folder = exported.folder
    names = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors", "diasum.json", "tokenizer.json"} <= names
    figures = json.loads((folder / "evaluation" / "test.json").read_text())
    assert figures["protocol"]["name"] == "rouge-score"
    assert {"n", "seed", "systems", "data_hash"} <= set(figures)
    assert not any("predictions" in name or "config.yaml" in name for name in names)
    assert "model-index" in (folder / "README.md").read_text()
    talks = [dialogue for dialogue, _ in CONVERSATIONS]
    assert diasum.load(folder).summarize(talks) == diasum.load(run.path).summarize(talks)
    assert exported.url is None


def test_an_upload_sends_the_folder_private_and_tells_no_token(
    run: Run, server: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    exported = diasum.export(run.path, "hub", repo="ana/talks", out=tmp_path / "out")
    assert exported.url == f"{server.address}/ana/talks"
    assert server.created["visibility"] == "private"
    assert server.tokens == {f"Bearer {TOKEN}"}
    sent = {name for name in server.files if name != ".gitattributes"}
    there = {str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert sent == there
    assert server.files["README.md"] == (tmp_path / "out" / "README.md").read_bytes()
    assert TOKEN not in "".join([*capfd.readouterr(), caplog.text, *(str(one) for one in server.files.values())])


def test_what_everybody_may_see_is_not_uploaded_to_unasked(run: Run, server: Any, tmp_path: Path) -> None:
    server.private = False
    with pytest.raises(DiasumError, match="everybody may see it"):
        diasum.export(run.path, "hub", repo="ana/talks", out=tmp_path / "out")
    assert not server.files
    settings = {"export.public": True}
    diasum.export(run.path, "hub", repo="ana/talks", out=tmp_path / "out", force=True, settings=settings)
    assert server.created["visibility"] == "public"
    assert server.files


def test_a_refusal_does_not_quote_the_token(run: Run, server: Any, tmp_path: Path) -> None:
    server.refuses = True
    with pytest.raises(DiasumError, match="could not be uploaded") as refused:
        diasum.export(run.path, "hub", repo="ana/talks", out=tmp_path / "out")
    assert TOKEN not in str(refused.value)
    assert refused.value.__cause__ is None
    assert (tmp_path / "out" / "README.md").is_file(), "the folder stays, to be uploaded again"


def test_what_cannot_be_uploaded(run: Run, base: str, tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="cannot be a repository"):
        diasum.export(run.path, "hub", repo="talks")
    with pytest.raises(DiasumError, match=r"no card \(README.md\)"):
        diasum.export(base, "hub", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_export_can_be_uploaded_itself(run: Run, tmp_path: Path) -> None:
    merged = diasum.export(run.path, "merged", out=tmp_path / "merged").folder
    folder = diasum.export(merged, "hub", out=tmp_path / "out").folder
    assert diasum.load(folder).summarize("Anna: Hi.") == diasum.load(merged).summarize("Anna: Hi.")
