"""A DVC remote over HTTP that can go away and come back: files by GET, HEAD and PUT."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class HttpRemote:
    """Serves a folder.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/data"

    def start(self) -> None:
        """Begin to answer, at the port it had before."""
        folder = self.folder

        class Handler(BaseHTTPRequestHandler):
            def _path(self) -> Path:
                return folder / self.path.strip("/")

            def do_HEAD(self) -> None:
                self._answer(body=False)

            def do_GET(self) -> None:
                self._answer(body=True)

            def _answer(self, *, body: bool) -> None:
                path = self._path()
                self.send_response(200 if path.is_file() else 404)
                content = path.read_bytes() if path.is_file() else b""
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if body:
                    self.wfile.write(content)

            def do_PUT(self) -> None:
                self._store(
                    self.rfile.read(int(self.headers["Content-Length"]))
                    if "Content-Length" in self.headers
                    else self._chunks()
                )

            do_POST = do_PUT

            def _chunks(self) -> bytes:
                found = b""
                while size := int(self.rfile.readline(), 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found

            def _store(self, content: bytes) -> None:
                path = self._path()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Answer nothing any more."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextlib.contextmanager
def http_remote(folder: Path) -> Iterator[HttpRemote]:
    """A remote that answers while it is open, unless it is stopped."""
    remote = HttpRemote(folder)
    remote.start()
    try:
        yield remote
    finally:
        remote.stop()
