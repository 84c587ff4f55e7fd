"""The JVM in which builds run their Groovy: one for many builds at once."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, final

from tests.support import jars

_RECORDER = Path(__file__).parents[2] / "targets" / "jenkins" / "groovy"
_SOURCES = Path(__file__).with_name("groovy")
_OPTIONS = ("-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")

Listener = Callable[[dict[str, Any]], None]


@final
class Jvm:
    """Speaks one JSON object a line with ``groovy/doubles/Main.groovy``; messages go to the listener of their build."""

    def __init__(self) -> None:
        path = os.pathsep.join(map(str, [*jars.classpath(), _SOURCES, _RECORDER]))
        main = str(_SOURCES / "doubles" / "Main.groovy")
        self._log: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            ["java", *_OPTIONS, "-Dfile.encoding=UTF-8", "-cp", path, "groovy.ui.GroovyMain", main],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self._listeners: dict[str, Listener] = {}
        self._writing = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, build: str, request: dict[str, Any], listener: Listener) -> None:
        self._listeners[build] = listener
        self._send({"build": build, **request})

    def reply(self, number: int, value: Any) -> None:
        self._send({"reply": number, "value": value})

    def fail(self, number: int, failed: dict[str, Any]) -> None:
        self._send({"reply": number, "failed": failed})

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()

    def last_words(self) -> str:
        """What the JVM wrote to its error stream."""
        self._log.seek(0)
        return self._log.read()[-2000:]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with self._writing:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            ended = message.get("tell") == "finished"
            listener = self._listeners.pop(message["build"]) if ended else self._listeners[message["build"]]
            listener(message)
        for listener in self._listeners.values():
            listener({"tell": "finished", "refused": "the JVM ended"})
