"""A DVC remote over WebDAV: WsgiDAV serves one folder to who has the password."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from cheroot.wsgi import Server
from wsgidav.wsgidav_app import WsgiDAVApp

USER, PASSWORD = "tester", "correct-horse"


class WebDavRemote:
    """Where the server answers."""

    def __init__(self, port: int) -> None:
        self.url = f"webdav://127.0.0.1:{port}/data"

    def configure(self, repository: Path) -> None:
        """Let a repository's DVC remote be this one."""
        config = "[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n    url = "
        (repository / ".dvc" / "config").write_text(
            f"{config}{self.url}\n    user = {USER}\n    password = {PASSWORD}\n"
        )


@contextlib.contextmanager
def webdav_remote(folder: Path) -> Iterator[WebDavRemote]:
    """A remote that answers while it is open."""
    (folder / "data").mkdir(parents=True)
    logging.getLogger("wsgidav").setLevel(logging.ERROR)
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(folder)},
            "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
            "logging": {"enable": False},
        }
    )
    server = Server(("127.0.0.1", 0), app)  # as wsgiref's does not, it takes bodies that come in chunks
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield WebDavRemote(server.bind_addr[1])
    finally:
        server.stop()
