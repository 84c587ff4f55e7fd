"""From a file to a checked `Pipeline`."""

from __future__ import annotations

import os

from pipegen.description.model import Pipeline
from pipegen.description.reading import nearest, read
from pipegen.description.source import Source
from pipegen.dvc.yaml12 import Document, parse
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
    document = parse(text, file)
    _refuse_other_files(document)
    return read(Pipeline, document.value, Source(document)).replace(source=Source(document))


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file. Raises FileError with the next step, DescriptionError if it isn't UTF-8."""
    shown = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise FileError(f"there is no {shown}; `pipegen init` makes one, -C names another folder") from None
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
        raise DescriptionError([Problem("is empty", document.file, hint="`pipegen init` writes a first description")])
    if not isinstance(value, dict):
        raise DescriptionError([document.problem((), "a description is a mapping of keys to values")])
    if "stages" in value and "name" not in value and "pipegen" not in value:
        hint = "name it under `stages: {from: [dvc.yaml]}` in a pipegen.yaml; `pipegen init` does so"
        raise DescriptionError([document.problem((), "this is a dvc.yaml, not a description", hint)])
    if value.get("pipegen", 1) != 1:
        message = f"version {value['pipegen']!r} of the grammar is not known"
        raise DescriptionError([document.problem(("pipegen",), message, nearest("1", ["1"]))])
