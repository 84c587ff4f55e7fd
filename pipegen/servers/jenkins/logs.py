"""Logs: a build's whole console as it grows, and what one stage printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape

from pipegen.errors import NotOnServer
from pipegen.records.run_view import OVER
from pipegen.servers.jenkins.builds import Builds, build_path
from pipegen.servers.model import LogChunk, Part, RunRef

WHOLE = ""
"""The name of a build's whole log."""
_NOTE = re.compile(r"\x1b\[8mha:.*?\x1b\[0m", re.DOTALL)
"""A note of Jenkins' in the console, such as a link: not for people."""
_TAG = re.compile(r"</?(?:a|b|span|div)\b[^>]*>")


class Logs:
    """The logs of one controller's builds."""

    def __init__(self, builds: Builds) -> None:
        self._builds, self._rest = builds, builds.rest

    def log(self, ref: RunRef, name: str, position: str) -> LogChunk:
        """The next piece of a build's log, or of a stage's."""
        return self._whole(ref, position) if name == WHOLE else self._of_stage(ref, name, position)

    def _whole(self, ref: RunRef, position: str) -> LogChunk:
        start = int(position or 0)
        answer = self._rest.send("GET", f"{build_path(ref)}/logText/progressiveText?start={start}")
        answer.encoding = "utf-8"
        size = int(answer.headers.get("X-Text-Size", start))
        # beyond its end Jenkins gives the whole log once more; and where a log became shorter, there is nothing new
        text = answer.text if size > start else ""
        return LogChunk(
            text=_NOTE.sub("", text).replace("\r\n", "\n"),
            position=str(max(size, start)),
            more=answer.headers.get("X-More-Data") == "true",
        )

    # ------------------------------------------------------------------------------------------ one stage

    def _of_stage(self, ref: RunRef, name: str, position: str) -> LogChunk:
        """What the steps of a stage printed, each step's log with how much of it was given before."""
        run = self._builds.run(ref)
        part = next((part for part in run.parts if part.name == name), None)
        if part is None:
            raise NotOnServer(
                f"build {run.label} has no stage {name!r}; it has {', '.join(p.name for p in run.parts) or 'none yet'}"
            )
        given: dict[str, int] = json.loads(position) if position else {}
        texts = [text for node in self._steps(ref, part) for text in self._new(ref, node, given)]
        over = run.over or part.state in OVER
        return LogChunk(text="".join(texts), position=json.dumps(given), more=not over)

    def _steps(self, ref: RunRef, part: Part) -> Iterator[str]:
        """The nodes of a stage that have a log, in order; a stage that hasn't begun has none."""
        if not part.id:
            return
        try:
            found = self._rest.get(f"{build_path(ref)}/execution/node/{part.id}/wfapi/describe")
        except NotOnServer:
            return
        for node in found.get("stageFlowNodes", []):
            if "log" in node.get("_links", {}):
                yield str(node["id"])

    def _new(self, ref: RunRef, node: str, given: dict[str, int]) -> Iterator[str]:
        """What a step printed since; Jenkins gives the end of a long log alone, which is then said."""
        found = self._rest.get(f"{build_path(ref)}/execution/node/{node}/wfapi/log")
        length, text = int(found.get("length") or 0), unescape(_TAG.sub("", found.get("text") or ""))
        new = length - given.get(node, 0)
        given[node] = length
        if new <= 0:
            return
        if new > len(text) and found.get("hasMore"):
            yield f"… {new - len(text)} bytes are left out here; `pipegen logs` without a stage has them …\n"
        yield text[-new:]
