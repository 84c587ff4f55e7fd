"""The pipelines of the API as the YAML plugin takes them, format 10. The template holds the file's form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipegen.description.dumper import scalar
from pipegen.targets.gocd.jobs import JSON
from pipegen.targets.gocd.pipelines import Drawn
from pipegen.targets.gocd.words import Options
from pipegen.targets.templates import render


def to_yaml(drawn: Sequence[Drawn], group: str, options: Options) -> str:
    """The file's text, without the header."""
    filters: dict[str, Callable[..., Any]] = {"scalar": words, "lines": _block, "comment": _comment}
    return render(
        "gocd",
        "pipelines.gocd.yaml.j2",
        filters,
        drawn=drawn,
        install=_common_task(drawn),
        group=group,
        environment=options.environment,
        configrepo=options.material == "configrepo",
    )


def words(value: str | Sequence[str]) -> str:
    """A text, or a list of texts, in one line of YAML."""
    return scalar(value) if isinstance(value, str) else f"[{', '.join(map(scalar, value))}]"


def _block(task: JSON) -> list[str]:
    """The lines of a task's last argument if a block shows them better and keeps them as they are; else none."""
    text: str = (task["attributes"]["arguments"] or [""])[-1]
    if text.startswith((" ", "\n")) or not text.endswith("\n") or text.endswith("\n\n"):
        return []
    lines = text.split("\n")[:-1]
    suits = len(lines) > 1 and all(line == line.rstrip() and line.isprintable() for line in lines)
    return lines if suits else []


def _common_task(drawn: Sequence[Drawn]) -> JSON | None:
    """The script that several jobs run, which stands once under `common`: bringing pipegen to the agent."""
    jobs = [job for d in drawn for stage in d.pipeline["stages"] for job in stage["jobs"]]
    scripts = [task for job in jobs for task in job["tasks"] if task["type"] == "exec" and _block(task)]
    return scripts[0] if len(scripts) > 1 and all(task == scripts[0] for task in scripts) else None


def _comment(text: str) -> str:
    """Text in one line of a comment."""
    return "".join(ch if ch.isprintable() else " " for ch in text)
