"""The page on this machine alone, live while a run goes on. It reads; there is nothing that a request could change."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipegen.errors import PipegenError
from pipegen.records import RunView
from pipegen.views.html import Place, news, page, policy
from pipegen.views.sources import Source

if TYPE_CHECKING:
    from aiohttp import web

HOST = "127.0.0.1"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def serve(source: Source, port: int, ready: Callable[[str], object]) -> None:
    """Serve the page until the process is interrupted.

    Args:
        source: where the picture comes from.
        port: where to listen on loopback; 0 takes any that is free.
        ready: told the page's address once it can be opened.

    Raises:
        PipegenError: the port is taken, or there is no picture.
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(source, port, ready))


async def _serve(source: Source, port: int, ready: Callable[[str], object]) -> None:
    from aiohttp import web

    watched = _Watched(source)
    await asyncio.to_thread(watched.run)
    runner = web.AppRunner(_application(watched), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            says = f"can't listen on port {port}: {error.strerror}; --port 0 takes any that is free"
            raise PipegenError(says) from None
        ready(f"http://{HOST}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _application(watched: _Watched) -> web.Application:
    """Three answers: the page, what is new, a log."""
    from aiohttp import web

    async def whole(request: web.Request) -> web.Response:
        text = await asyncio.to_thread(lambda: page(*watched.shown()))
        headers = {"Content-Security-Policy": f"{policy(live=True)}; frame-ancestors 'none'"}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def new(request: web.Request) -> web.Response:
        tag = await asyncio.to_thread(watched.tag)
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        text = await asyncio.to_thread(lambda: json.dumps(news(*watched.shown()), ensure_ascii=False))
        return web.Response(text=text, content_type="application/json", headers={"ETag": tag})

    async def log(request: web.Request) -> web.Response:
        text = await asyncio.to_thread(watched.source.log, request.query.get("stage", ""))
        return web.Response(text=text, status=200) if text is not None else web.Response(status=404)

    @web.middleware
    async def careful(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer only who asked this machine by its own name: another site's name may lead here (DNS rebinding)."""
        if request.host.rpartition(":")[0] not in (HOST, "localhost"):
            return web.Response(status=421, text="This page answers to 127.0.0.1 and localhost only.\n")
        try:
            answer = await handler(request)
        except PipegenError as error:
            answer = web.Response(status=503, text=f"{error.message}\n")
        answer.headers.update(_HEADERS)
        return answer

    made = web.Application(middlewares=[careful])
    made.add_routes([web.get("/", whole), web.get("/news", new), web.get("/log", log)])
    return made


class _Watched:
    """A source that is asked no more often than is worth it, however many pages ask."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._mutex = threading.Lock()
        self._asked = 0.0
        self._run: RunView | None = None

    def run(self) -> RunView:
        with self._mutex:
            if self._run is None or time.monotonic() - self._asked > self.source.pause:
                self._run = self.source.run()
                self._asked = time.monotonic()
            return self._run

    def shown(self) -> tuple[RunView, Place]:
        run = self.run()
        logs = {
            stage.name: f"log?stage={quote(stage.name, safe='')}"
            for stage in run.stages
            if any(link.label == "log" and "://" not in link.url for link in stage.links)
        }
        return run, Place(live=True, tag=self.tag(), logs=logs)

    def tag(self) -> str:
        """An ETag: it changes when the picture does; that time goes by is no change."""
        run = self.run()
        still = replace(
            run,
            taken="",
            seconds=run.seconds if run.is_over else None,
            stages=tuple(
                replace(stage, seconds=None) if stage.state == "running" else stage for stage in run.stages
            ),
        )
        return f'"{hashlib.sha256(repr(still).encode()).hexdigest()[:16]}"'
