"""The grammar of `dvc.yaml` as DVC 3 has it (`dvc/schema.py`), checked with file, line, column and the
nearest word.

It serves files that stand beside a description and the `dvc.yaml` that inline stages become; what it lets
through, DVC's own
schema lets through (`tests/description/test_dvcfile.py` compares the two).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipegen.description.reading import Reader
from pipegen.description.source import Source
from pipegen.description.stage_words import Commands
from pipegen.description.words import Word, dataclass, word, words
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem

META = "pipegen"
"""The key under a stage's `meta` that holds its `ci`."""


@dataclass(frozen=True, kw_only=True)
class OutOptions:
    """How DVC keeps an output."""

    cache: bool = word("Keep it in DVC's cache.", True)
    persist: bool = word("Don't remove it before the stage runs.", False)
    checkpoint: bool = word("DVC's older experiments.", False)
    remote: str = word("The remote it is pushed to.", "")
    push: bool = word("Push it.", True)
    desc: str = word("A description for people.", "")
    type: str = word("A type for people.", "")
    labels: list[str] = word("Words to find it by.", [])
    meta: Any = word("Anything.", None)


@dataclass(frozen=True, kw_only=True)
class PlotOptions(OutOptions):
    """How DVC draws a plot that is an output."""

    template: str = word("The plot's template.", "")
    x: str = word("The field of the x axis.", "")
    y: str = word("The field of the y axis.", "")
    x_label: str = word("The label of the x axis.", "")
    y_label: str = word("The label of the y axis.", "")
    title: str = word("The plot's title.", "")
    header: bool = word("Whether the file has a header.", True)


@dataclass(frozen=True, kw_only=True)
class TopPlot:
    """How DVC draws a plot of the top level."""

    x: str | dict[str, str] = word("The field of the x axis.", "")
    y: str | list[str] | dict[str, str | list[str]] = word("The fields of the y axis.", "")
    x_label: str = word("The label of the x axis.", "")
    y_label: str = word("The label of the y axis.", "")
    title: str = word("The plot's title.", "")
    template: str = word("The plot's template.", "")


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file with a name and a type."""

    path: str = word("The file or folder.")
    desc: str = word("A description for people.", "")
    type: str = word("Its type, such as `model`.", "")
    labels: list[str] = word("Words to find it by.", [])
    meta: Any = word("Anything.", None)


@dataclass(frozen=True, kw_only=True)
class DvcStage:
    """A stage."""

    cmd: Commands = word("The command, or a list of commands.")
    wdir: str = word("The folder in which it runs.", "")
    matrix: dict[str, str | list[Any]] = word("One stage for each combination of these values.", {})
    deps: list[str] = word("Files and folders it reads.", [])
    params: list[str | dict[str, Any]] = word("Parameters it reads.", [])
    vars: list[str | dict[str, Any]] = word("Values for interpolation.", [])
    frozen: bool = word("Never run it.", False)
    meta: Any = word("Anything.", None)
    desc: str = word("A description for people.", "")
    always_changed: bool = word("Run it each time.", False)
    outs: list[str | dict[str, OutOptions]] = word("Files and folders it writes.", [])
    metrics: list[str | dict[str, OutOptions]] = word("Outputs that hold metrics.", [])
    plots: list[str | dict[str, PlotOptions | list[PlotOptions]]] = word("Outputs that hold plots.", [])


@dataclass(frozen=True, kw_only=True)
class DvcForeach:
    """Several stages from one definition."""

    foreach: dict[Any, Any] | list[Any] | str = word("The items: a list, a map, or an interpolation of one.")
    do: DvcStage = word("The stage; `${item}` and `${key}` stand for the item.")


@dataclass(frozen=True, kw_only=True)
class DvcFile:
    """A whole `dvc.yaml`."""

    vars: list[str | dict[str, Any]] = word("Values for interpolation.", [])
    stages: dict[str, Any] = word("The stages.", {})
    params: list[str] = word("Parameter files.", [])
    metrics: list[str] = word("Metrics files.", [])
    plots: list[str | dict[str, TopPlot | None]] = word("Plots.", [])
    artifacts: dict[str, Artifact] = word("Artifacts.", {})
    datasets: Any = word("Datasets.", None)


def mistakes(data: Any, source: Source) -> list[Problem]:
    """Everything in the content of a `dvc.yaml` that DVC would refuse by its grammar, or that can't mean
    what it says."""
    reader = _DvcReader(source)
    reader.read(DvcFile, data, ())
    stages = data.get("stages") if isinstance(data, Mapping) else None
    for name, entry in stages.items() if isinstance(stages, Mapping) else ():
        _check_stage(reader, name, entry, ("stages", name))
    return reader.problems


def _check_stage(reader: _DvcReader, name: Any, entry: Any, at: At) -> None:
    if isinstance(name, str):
        _check_name(reader, name, at)
    if not isinstance(entry, Mapping) or not {"foreach", "do"} & entry.keys():
        reader.read(DvcStage, entry, at)
        return
    reader.read(DvcForeach, entry, at)
    if isinstance(entry.get("do"), Mapping) and "matrix" in entry["do"]:
        message, hint = (
            "DVC ignores `matrix` under `do`",
            "put what `foreach` names into the matrix, as one more axis",
        )
        reader.refuse((*at, "do", "matrix"), message, hint, key=True)


def _check_name(reader: _DvcReader, name: str, at: At) -> None:
    """DVC reads more names than it writes, but not these: `@` stands before an item, `:` after a file."""
    wrong = [ch for ch in name if ch in "@:" or not ch.isprintable()]
    if wrong or not name.strip() or len(name) > 200:
        why = f"{wrong[0]!r} can't stand in it" if wrong else "a name has 1 to 200 characters"
        reader.refuse(
            at, f"the stage name {name[:60]!r} is not one: {why}", "use letters, digits, `_`, `-`", key=True
        )


class _DvcReader(Reader):
    """Reads by DVC's grammar, and knows what people who know pipegen's get wrong there."""

    def _key_hint(self, key: Any, known: Mapping[str, Word], path: At) -> str:
        if key == "ci" and "cmd" in known:
            return f"DVC has no `ci`: write it as `meta: {{{META}: …}}`, or under `ci:` in pipegen.yaml"
        if key in ("matrix", *words(DvcStage)) and "foreach" in known:
            return f"{key!r} belongs under `do:`"
        return super()._key_hint(key, known, path)
