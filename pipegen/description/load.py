"""From a file to a checked `Pipeline`."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from pipegen.description import secret_values
from pipegen.description.model import Pipeline
from pipegen.description.reading import Reader, read
from pipegen.description.source import Source
from pipegen.description.writing import to_data
from pipegen.dvc.yaml12 import Document, parse
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import DescriptionError, FileError, Problem, os_error

FILE_NAME = "pipegen.yaml"


def load(path: str | os.PathLike[str]) -> Pipeline:
    """Read `pipegen.yaml` by the grammar.

    Raises:
        FileError: it can't be read.
        DescriptionError: every mistake in it.
    """
    return loads(read_text(path), os.fspath(path))


def loads(text: str, file: str = FILE_NAME) -> Pipeline:
    """Read a description from text; `file` is its name in messages."""
    examined = examine(text, file)
    if examined.problems or examined.pipeline is None:
        raise DescriptionError(examined.problems)
    return examined.pipeline


class Examined(NamedTuple):
    """A description read as far as it is right."""

    pipeline: Pipeline | None
    """Without the parts that are wrong; None where too little is right for the checks that follow to say
    anything true."""
    problems: list[Problem]
    """Every mistake of the grammar, and every value that looks like a secret."""


def examine(text: str, file: str = FILE_NAME) -> Examined:
    """Read a description by the grammar, and keep what is right of it, so that one look finds the mistakes
    of all checks.

    Raises:
        DescriptionError: it is not YAML, or something else than a description.
    """
    document = parse(text, file)
    _refuse_other_files(document)
    source = Source(document)
    reader = Reader(source)
    pipeline = reader.read_what_is_right(Pipeline, document.value)
    found = secret_values.find(document.value)
    plain = (
        [str(path) for path in document.value.get("plain") or () if isinstance(path, str)] if found else []
    )
    problems = [secret_values.masked(problem, found) for problem in reader.problems]
    problems += secret_values.refuse(found, source, plain)
    if pipeline is not None and reader.lost:
        pipeline = _without_doubtful(pipeline, document.value, reader.lost)
    return Examined(pipeline.replace(source=source) if pipeline else None, problems)


def _without_doubtful(pipeline: Pipeline, data: dict[str, Any], lost: list[At]) -> Pipeline | None:
    """The description without workflows that lost a part; None where others may speak of what was lost."""
    broken = {path[1] for path in lost if path[:1] == ("workflows",) and len(path) > 1}
    if any("promote" in (data["workflows"][name] or ()) for name in broken):
        return None
    if not all((path[1:] and path[0] == "workflows") or _stands_alone(path) for path in lost):
        return None
    return pipeline.replace(workflows={n: w for n, w in pipeline.workflows.items() if n not in broken})


def _stands_alone(path: At) -> bool:
    """Whether what stands at `path` matters to nothing outside it, nor to the names of others."""
    match path:
        case ("stages", _, "ci", _, *_) | ("stages", _, "do", "ci", _, *_) | ("ci", _, _, *_):
            return True
        case ("agents" | "people" | "environments" | "targets", _, _, *_):
            return True
        case ("defaults" | "python" | "tracking" | "data" | "setup" | "tolerance" | "lint", _, *_):
            return True
    return False


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file. Raises FileError with the next step, DescriptionError if it isn't UTF-8."""
    shown = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise FileError(f"there is no {shown}; `pipegen init` makes one") from None
    except IsADirectoryError:
        raise FileError(f"{shown} is a folder; name the file in it") from None
    except OSError as error:
        raise os_error(error, "read", shown) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DescriptionError([Problem("is not UTF-8 text", shown, line, hint="save it as UTF-8")]) from None


def _refuse_other_files(document: Document) -> None:
    """A file that is something else altogether gets one message, not one for each key."""
    value = document.value
    if value is None:
        raise DescriptionError(
            [Problem("is empty", document.file, hint="`pipegen init` writes a first description")]
        )
    if not isinstance(value, dict):
        raise DescriptionError([document.problem((), "a description is a mapping of keys to values")])
    if "stages" in value and "name" not in value and "pipegen" not in value:
        hint = "name it under `stages: {from: [dvc.yaml]}` in a pipegen.yaml; `pipegen init` does so"
        raise DescriptionError([document.problem((), "this is a dvc.yaml, not a description", hint)])
    if value.get("pipegen", 1) != 1:
        message = f"version {value['pipegen']!r} of the grammar is not known"
        raise DescriptionError(
            [document.problem(("pipegen",), message, "this pipegen knows version 1: `pipegen: 1`")]
        )


def checked(pipeline: Pipeline) -> Pipeline:
    """The same description, known to be right by the grammar: one built in Python is read as if it were a file.

    Raises:
        DescriptionError: every mistake, with the path of the value.
    """
    if pipeline.source.document is not None:
        return pipeline
    return read(Pipeline, to_data(pipeline), pipeline.source)
