"""A loopback server that misbehaves on request, and data folders of the test's own."""

from __future__ import annotations

import gzip
import http.server
import os
import struct
import threading
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pooch.core  # type: ignore[import-untyped]  # it ships no types
import pytest

REAL = Path(os.environ.get("HARNESS_DATA", "/nonexistent"))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point every folder into the test's own; no test may see or leave anything elsewhere. Returns the data folder."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg-data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg-cache"))
    monkeypatch.delenv("HARNESS_OFFLINE", raising=False)
    monkeypatch.setattr(pooch.core, "time", types.SimpleNamespace(sleep=lambda _seconds: None))
    return tmp_path / "data"


@dataclass
class Mirror:
    """What the server answers by path: a list of ``(status, content, promised length)``, the last one for ever."""

    url: str
    answers: dict[str, list[tuple[int, bytes, int | None]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def serve(self, path: str, *answers: tuple[int, bytes] | tuple[int, bytes, int]) -> str:
        """Set the answers for a path and return its address."""
        self.answers[path] = [(a[0], a[1], a[2] if len(a) > 2 else None) for a in answers]
        return f"{self.url}{path}"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    found = Mirror("")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            answers = found.answers.get(self.path, [(404, b"", None)])
            status, content, promised = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) if promised is None else promised))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def idx(values: bytes, *dimensions: int, kind: int = 8) -> bytes:
    """Return a gzip'd IDX file."""
    return gzip.compress(struct.pack(f">4B{len(dimensions)}I", 0, 0, kind, len(dimensions), *dimensions) + values)
