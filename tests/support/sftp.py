"""A DVC remote over ssh: an SFTP server that serves one folder to who has the key, and can go away and come back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

T = TypeVar("T")


class SftpRemote:
    """Serves a folder.

    Args:
        folder: where the files are; keys come to lie beside it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, 0
        folder.mkdir(parents=True)
        self.key, self._host_key = (folder.parent / name for name in ("client-key", "host-key"))
        for path in (self.key, self._host_key):
            asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
            path.chmod(0o600)
        public = asyncssh.read_private_key(self.key).export_public_key().decode()
        self._known = asyncssh.import_authorized_keys(public)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._server: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    @property
    def url(self) -> str:
        return f"ssh://tester@127.0.0.1:{self.port}/data"

    def configure(self, repository: Path, key: str = "") -> None:
        """Let a repository's DVC remote be this one, with a key of its own."""
        config = "[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n    url = "
        (repository / ".dvc" / "config").write_text(f"{config}{self.url}\n    keyfile = {key or self.key}\n")

    def start(self) -> None:
        """Begin to answer, at the port it had before."""

        def factory(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
            self._connections.add(channel.get_connection())
            return asyncssh.SFTPServer(channel, chroot=str(self.folder).encode())

        async def listen() -> asyncssh.SSHAcceptor:
            return await asyncssh.listen(
                "127.0.0.1",
                self.port,
                server_host_keys=[str(self._host_key)],
                authorized_client_keys=self._known,
                sftp_factory=factory,
            )

        self._server = self._do(listen())
        self.port = self._server.get_port()

    def stop(self) -> None:
        """Cut all connections, and answer nothing any more."""
        if self._server:
            server, self._server = self._server, None

            async def close() -> None:
                server.close()
                for connection in self._connections:
                    connection.abort()
                self._connections.clear()
                await server.wait_closed()

            self._do(close())

    def close(self) -> None:
        """Be gone for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@contextlib.contextmanager
def sftp_remote(folder: Path) -> Iterator[SftpRemote]:
    """A remote that answers while it is open, unless it is stopped."""
    remote = SftpRemote(folder)
    remote.start()
    try:
        yield remote
    finally:
        remote.close()
