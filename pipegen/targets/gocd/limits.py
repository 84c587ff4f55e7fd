"""What GoCD takes, checked on the finished pipelines. The rules are its API's own answers and its schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

NAME = re.compile(r"[a-zA-Z0-9_\-][a-zA-Z0-9_\-.]{0,254}")
"""Pipelines, stages, groups, materials, environments."""
JOB = re.compile(r"(?!.*run(?:Instance|OnAll)-)[a-zA-Z0-9_\-.]{1,255}")
"""Jobs; `x-runInstance-1` is the server's own name for a copy."""
PATH = re.compile(r"([.]/)?[.][^. ]+|[^. ].+[^. ]|[^. ][^. ]|[^. ]")
"""Working directories, destinations, sources of a fetch (`filePathType` of the schema)."""
NO_XML = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Characters that XML, in which the server keeps its configuration, can't hold; compiled only if one is looked for."""
UNSAFE_FOLDER = re.compile(r"[#*?]|(^|/)\.\.(/|$)")
"""In the description's folder: a parameter's mark and wildcards, which GoCD reads in some paths and not in others."""


def breaches(pipelines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each name, path or text that the server would refuse."""
    pipelines = list(pipelines)
    yield from _bad_names("pipeline", (p["name"] for p in pipelines), NAME)
    for pipeline in pipelines:
        yield from _bad_names("stage", (s["name"] for s in pipeline["stages"]), NAME)
        for stage in pipeline["stages"]:
            yield from _bad_names("job", (j["name"] for j in stage["jobs"]), JOB)
            for job in stage["jobs"]:
                yield from _bad_paths(job)
        for text in _texts(pipeline) if _may_hold_control(pipeline) else ():
            if re.search(NO_XML, text):
                yield f"GoCD can't hold the control character in {text[:60]!r}"


def _bad_names(kind: str, names: Iterable[str], rule: re.Pattern[str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name in names:
        if len(name) > 255:
            yield f"the {kind} {name[:80]!r}… has a name of {len(name)} characters; GoCD takes 255"
        elif not rule.fullmatch(name):
            yield f"GoCD takes no {kind} called {name!r}"
        other = seen.setdefault(name.lower(), name)
        if other is not name:
            yield f"GoCD ignores case and would have two {kind}s called {name!r}" + (
                f" and {other!r}" if other != name else ""
            )


def _bad_paths(job: Mapping[str, Any]) -> Iterator[str]:
    attributes = [task["attributes"] for task in job["tasks"]]
    paths = [(a, key) for a in attributes for key in ("working_directory", "destination") if a.get(key)]
    paths += [(a, "source") for a in attributes if "source" in a]
    paths += [(a, "destination") for a in job["artifacts"] if a["destination"]]
    for holder, key in paths:
        if not PATH.fullmatch(holder[key]):
            yield f"GoCD takes no path {holder[key]!r}: what begins with a dot may hold no other dot"


def _may_hold_control(pipeline: Mapping[str, Any]) -> bool:
    """Whether to look at each text: Python shows all that `NO_XML` means as an escape of this kind."""
    shown = repr(pipeline)
    return "\\x" in shown or "\\u" in shown


def _texts(value: Any) -> Iterator[str]:
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, (dict, list)):
            todo += reversed(each.values() if isinstance(each, dict) else each)
