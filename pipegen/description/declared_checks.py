"""The words of declared checks fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipegen.description.check_words import Column, ModelCheck, TableCheck
from pipegen.description.model import Pipeline
from pipegen.description.places import Stages, ci_problem
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem

Mistake = tuple[At, str, str]


def declared(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    """Each declared check asks for something that can be."""
    for stage in stages.values():
        for index, test in enumerate(stage.ci.tests):
            mistakes: Iterator[Mistake] = iter(())
            if isinstance(test, TableCheck):
                mistakes = _table(test)
            elif isinstance(test, ModelCheck):
                mistakes = _model(test)
            for at, message, hint in mistakes:
                yield ci_problem(pipeline, stage, ("tests", index, *at), message, hint)


def _table(check: TableCheck) -> Iterator[Mistake]:
    for name, column in check.columns.items():
        for at, message, hint in _column(column):
            yield ("columns", name, *at), message, hint
    if check.rows is not None:
        yield from ((("rows", *at), message, hint) for at, message, hint in _ordered(check.rows))


def _column(column: Column) -> Iterator[Mistake]:
    yield from _ordered(column)
    for word in ("min", "max"):
        if getattr(column, word) is not None and column.type in ("text", "flag", "date"):
            yield (word,), f"{word!r} is about numbers, but the column's type is {column.type}", ""
    if column.matches is not None:
        try:
            re.compile(column.matches)
        except re.error as error:
            yield ("matches",), f"{column.matches!r} is no regular expression: {error}", ""
        if column.type not in (None, "text"):
            yield ("matches",), f"'matches' is about text, but the column's type is {column.type}", ""


def _model(check: ModelCheck) -> Iterator[Mistake]:
    yield from _ordered(check)
    for word in ("rows", "outputs"):
        if getattr(check, word) < 1:
            yield (word,), f"{getattr(check, word)} is no number of {word}", "at least 1"
    if check.columns and check.drop:
        yield ("drop",), "`columns` says already what the model gets", "remove `drop`"


def _ordered(limits: Any) -> Iterator[Mistake]:
    if limits.min is not None and limits.max is not None and limits.min > limits.max:
        yield ("min",), "'min' is above 'max': no value meets both", ""
