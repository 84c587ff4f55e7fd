"""The stages of a description as they run: expanded, every path relative to the description's folder.

Inline stages first become a `dvc.yaml` (with `ci` as `meta.pipegen`), so that both kinds go one way: `dvc.yaml` →
DVC's own rules of expansion → `ResolvedStage`.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipegen.description.dvcfile import META, mistakes
from pipegen.description.load import read_text
from pipegen.description.model import Pipeline
from pipegen.description.reading import Reader, nearest
from pipegen.description.source import Source
from pipegen.description.stage_words import Ci, Commands, Foreach, Stage, StagesFrom
from pipegen.description.writing import to_data
from pipegen.dvc import expand
from pipegen.dvc.yaml12 import Path as At
from pipegen.dvc.yaml12 import parse
from pipegen.errors import DescriptionError, Problem

DVC_FILE = "dvc.yaml"


@dataclass(frozen=True)
class Out:
    """A file or folder that a stage writes."""

    path: str
    """Relative to the description."""
    kind: str = "out"
    """`out`, `metric` or `plot`."""
    cache: bool = True
    persist: bool = False
    push: bool = True
    remote: str | None = None


@dataclass(frozen=True)
class ResolvedStage:
    """One stage as it runs."""

    address: str
    """As DVC names it from the description's folder: `train@lasso`, `prep/dvc.yaml:train@lasso`."""
    cmd: Commands
    wdir: str
    """Relative to the description; `.` for its own folder."""
    deps: tuple[str, ...]
    params: Mapping[str, tuple[str, ...]]
    """For each params file the keys; none stands for the whole file."""
    outs: tuple[Out, ...]
    frozen: bool
    always_changed: bool
    desc: str | None
    ci: Ci
    group: str
    """The address without its item: `train` for `train@lasso`."""
    source: Source = field(compare=False, repr=False)
    at: At = field(compare=False, repr=False)
    """Where its definition stands in `source`."""

    def problem(
        self, where: At, message: str, hint: str = "", *, key: bool = False, code: str = ""
    ) -> Problem:
        """A `Problem` somewhere in this stage's definition."""
        return self.source.problem((*self.at, *where), message, hint, key=key, code=code)


def resolve(
    pipeline: Pipeline, folder: Path, content: Mapping[str, Any] | None = None
) -> dict[str, ResolvedStage]:
    """All stages by address, in the order of the files.

    Args:
        pipeline: the description.
        folder: the folder it lies in; params files for interpolation are read there.
        content: `dvc_data` of inline stages, where that is known already.

    Raises:
        DescriptionError: DVC would not take them, or a `ci` that is wrong once interpolated.
        FileError: a `dvc.yaml` can't be read.
    """
    if isinstance(pipeline.stages, StagesFrom):
        found, problems = _from_files(pipeline, pipeline.stages, folder)
    else:
        found, problems = {}, []
        source, content = pipeline.source, content or dvc_data(pipeline)
        for stage in _from_data(content, DVC_FILE, folder, source, problems, inline=True):
            found[stage.address] = stage
    found = _with_top_level_ci(pipeline, found, problems)
    if problems:
        raise DescriptionError(problems)
    return found


def dvc_data(pipeline: Pipeline) -> dict[str, Any]:
    """The content of `dvc.yaml` for inline stages: DVC's words, `ci` as `meta.pipegen`, models as artifacts."""
    assert isinstance(pipeline.stages, dict)
    data: dict[str, Any] = {}
    if pipeline.vars:
        data["vars"] = to_data(pipeline.vars)
    data["stages"] = {str(name): _stage_data(stage) for name, stage in pipeline.stages.items()}
    for word in ("params", "metrics", "plots", "datasets"):
        if getattr(pipeline, word):
            data[word] = to_data(getattr(pipeline, word))
    artifacts = {
        **to_data(pipeline.artifacts),
        **{name: to_data_of_model(model) for name, model in pipeline.models.items()},
    }
    if artifacts:
        data["artifacts"] = artifacts
    return data


def to_data_of_model(model: Any) -> dict[str, Any]:
    """A model as DVC's artifact: its type is always said, since DVC has no default."""
    return {**to_data(model), **({"type": str(model.type)} if model.type else {})}


def _stage_data(stage: Stage | Foreach) -> dict[str, Any]:
    if isinstance(stage, Foreach):
        return {"foreach": to_data(stage.foreach), "do": _stage_data(stage.do)}
    data: dict[str, Any] = to_data(stage)
    ci = data.pop("ci", None)
    if ci:
        meta = data.pop("meta", None)
        data["meta"] = {**(meta if isinstance(meta, dict) else {}), META: ci}
    return data


def _from_files(
    pipeline: Pipeline, stages: StagesFrom, folder: Path
) -> tuple[dict[str, ResolvedStage], list[Problem]]:
    found: dict[str, ResolvedStage] = {}
    problems: list[Problem] = []
    for index, pattern in enumerate(stages.from_):
        files = sorted(_matching(folder, pattern))
        if not files:
            at = ("stages", "from", index)
            problems.append(pipeline.source.problem(at, f"there is no file {str(pattern)!r}"))
        for file in files:
            for stage in _from_file(file, folder, problems):
                found.setdefault(stage.address, stage)
    return found, problems


def _from_file(file: str, folder: Path, problems: list[Problem]) -> list[ResolvedStage]:
    try:
        document = parse(read_text(folder / file), file)
    except DescriptionError as error:
        problems.extend(error.problems)
        return []
    if not document.value:
        return []  # empty or all comments: DVC takes it too
    return _from_data(document.value, file, folder, Source(document), problems, inline=False)


def _matching(folder: Path, pattern: str) -> Iterator[str]:
    if not any(ch in pattern for ch in "*?["):
        if (folder / pattern).exists():
            yield posixpath.normpath(pattern)
        return
    for path in folder.glob(str(pattern)):
        relative = path.relative_to(folder)
        if path.is_file() and ".dvc" not in relative.parts:
            yield relative.as_posix()


def _from_data(
    data: Mapping[str, Any], file: str, folder: Path, source: Source, problems: list[Problem], *, inline: bool
) -> list[ResolvedStage]:
    wrong = mistakes(data, source)
    if wrong:
        problems.extend(wrong)
        return []
    try:
        expanded = expand.expand(data, folder / file, source)
    except DescriptionError as error:
        problems.extend(error.problems)
        return []
    resolved = []
    for stage in expanded:
        ci = _read_ci(stage, source, problems, inline=inline)
        resolved.append(_resolved(stage, file, source, ci))
    return resolved


def _read_ci(stage: expand.Expanded, source: Source, problems: list[Problem], *, inline: bool) -> Ci:
    meta = stage.definition.get("meta")
    value = meta.get(META) if isinstance(meta, Mapping) else None
    if value is None:
        return Ci()
    reader = Reader(source)
    at = (*stage.at, "ci") if inline else (*stage.at, "meta", META)
    ci = reader.read(Ci, value, at)
    problems.extend(reader.problems)
    return ci if isinstance(ci, Ci) and not reader.problems else Ci()


def _resolved(stage: expand.Expanded, file: str, source: Source, ci: Ci) -> ResolvedStage:
    definition = stage.definition
    home, below = posixpath.dirname(file), definition.get("wdir") or "."
    wdir = posixpath.normpath(posixpath.join(home, below)) if home or below != "." else "."
    prefix = "" if file == DVC_FILE else f"{file}:"
    return ResolvedStage(
        address=prefix + stage.name,
        cmd=definition["cmd"],
        wdir=wdir,
        deps=tuple(_inside(wdir, dep) for dep in definition.get("deps") or ()),
        params=_params(definition.get("params") or (), wdir),
        outs=tuple(_outs(definition, wdir)),
        frozen=bool(definition.get("frozen")),
        always_changed=bool(definition.get("always_changed")),
        desc=definition.get("desc"),
        ci=ci,
        group=prefix + stage.name.partition("@")[0],
        source=source,
        at=stage.at,
    )


_UNTIDY = re.compile(r"(?:^|/)\.{0,2}(?:/|$)")
"""A step of a path that is empty, `.` or `..`."""


def _inside(wdir: str, path: str) -> str:
    """A path relative to the description; URLs and absolute paths stay as they are."""
    if "://" in path or path.startswith("/"):
        return path
    if wdir == "." and not _UNTIDY.search(path):
        return path
    return posixpath.normpath(posixpath.join(wdir, path))


def _params(entries: Iterable[Any], wdir: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for entry in entries:
        if isinstance(entry, str):
            found.setdefault(_inside(wdir, "params.yaml"), []).append(entry)
        else:
            for file, keys in entry.items():
                found.setdefault(_inside(wdir, str(file)), []).extend(str(key) for key in keys or ())
    return {file: tuple(dict.fromkeys(keys)) for file, keys in found.items()}


def _outs(definition: Mapping[str, Any], wdir: str) -> Iterator[Out]:
    for word, kind in (("outs", "out"), ("metrics", "metric"), ("plots", "plot")):
        for entry in definition.get(word) or ():
            items = [(entry, None)] if isinstance(entry, str) else entry.items()
            for path, options in items:
                options = options if isinstance(options, Mapping) else {}
                yield Out(
                    path=_inside(wdir, str(path)),
                    kind=kind,
                    cache=bool(options.get("cache", True)),
                    persist=bool(options.get("persist", False)),
                    push=bool(options.get("push", True)),
                    remote=options.get("remote"),
                )


def _with_top_level_ci(
    pipeline: Pipeline, stages: Mapping[str, ResolvedStage], problems: list[Problem]
) -> dict[str, ResolvedStage]:
    """Lay `ci:` of the description over the stages whose address it names; the later and the more exact entry wins."""
    from dataclasses import replace

    found = dict(stages)
    for pattern, ci in sorted(pipeline.ci.items(), key=lambda entry: "*" not in entry[0]):
        matching = [address for address in stages if matches(address, pattern)]
        if not matching:
            at = ("ci", pattern)
            problems.append(
                pipeline.source.problem(
                    at, f"no stage has the address {pattern!r}", nearest(pattern, stages), key=True
                )
            )
        for address in matching:
            found[address] = replace(found[address], ci=_overlaid(found[address].ci, ci))
    return found


def matches(address: str, pattern: str) -> bool:
    """Whether `pattern` means a stage: its address, its group (`train` for every `train@…`), `*` for any text."""
    if address == pattern or address.partition("@")[0] == pattern:
        return True
    return "*" in pattern and fnmatch.fnmatchcase(address, pattern.replace("[", "[[]").replace("?", "[?]"))


def _overlaid(below: Ci, above: Ci) -> Ci:
    from dataclasses import replace

    from pipegen.description.words import words

    said = {
        w.attribute: getattr(above, w.attribute)
        for w in words(Ci).values()
        if getattr(above, w.attribute) != w.default
    }
    return replace(below, **said)
