"""The words of declared checks: tests of what a stage made, without code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pipegen.description.kinds import Path, Percent
from pipegen.description.words import dataclass, word


@dataclass(frozen=True, kw_only=True)
class Column:
    """What holds for one column of a table."""

    type: Literal["text", "whole", "number", "flag", "date"] | None = word(
        "The kind of its values: text, whole numbers, numbers, true or false, dates.", None
    )
    required: bool = word("Whether it must be there.", True)
    nulls: float | Percent = word(
        "How many of its values may be empty, as a count or a share of the rows.", 0.0
    )
    unique: bool = word("Whether no value may stand there twice.", False)
    min: float | None = word("The least that a value may be.", None)
    max: float | None = word("The most that a value may be.", None)
    values: list[str | int | float | bool] = word("The only values that it may have.", [])
    matches: str | None = word("A regular expression that the whole text of each value must match.", None)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """How many rows a table may have."""

    min: int | None = word("The least.", None)
    max: int | None = word("The most.", None)
    max_increase: int | Percent | None = word("The most that may be added since the last good run.", None)
    max_decrease: int | Percent | None = word("The most that may be missing since the last good run.", None)


@dataclass(frozen=True, kw_only=True)
class TableCheck:
    """A check of a table: its columns, their values and the number of rows."""

    table: Path = word("The file: CSV, TSV (also compressed), Parquet or JSON lines.")
    columns: dict[str, Column] = word("What holds for its columns.", {})
    only: bool = word("Whether it may have no other columns.", False)
    unique: list[str] = word("Columns that together tell each row from all others.", [])
    rows: Rows | None = word("How many rows it may have.", None, shown="one at least")

    @staticmethod
    def is_told_by(value: Mapping[str, Any]) -> bool:
        """Whether a mapping is meant as this rather than as another check."""
        return "table" in value


@dataclass(frozen=True, kw_only=True)
class ModelCheck:
    """A check of a model: it can be loaded, and what it predicts has the right shape, in time, each time the same."""

    model: Path = word("The file: what joblib or pickle wrote; it has a method `predict`.")
    input: Path = word("A table of what it predicts from; its first rows are tried.")
    columns: list[str] = word("The columns that the model gets.", [], shown="all but `drop`")
    drop: list[str] = word("Columns that it does not get, such as the one it predicts.", [])
    rows: int = word("How many rows are tried.", 100)
    outputs: int = word("How many values it predicts for each row.", 1)
    min: float | None = word("The least that it may predict.", None)
    max: float | None = word("The most that it may predict.", None)
    latency: float | None = word("Seconds that one call for these rows may take: the median of five.", None)
    deterministic: bool = word(
        "Whether it must predict the same when asked again, and when loaded again.", True
    )

    @staticmethod
    def is_told_by(value: Mapping[str, Any]) -> bool:
        """Whether a mapping is meant as this rather than as another check."""
        return "model" in value


@dataclass(frozen=True, kw_only=True)
class ReportedTests:
    """A command that writes JUnit files itself, as Maven Surefire, Ant and others do; they are taken as they are."""

    run: str = word("The command.")
    junit: Path = word("The JUnit files that it writes, such as `target/surefire-reports/*.xml`.")

    @staticmethod
    def is_told_by(value: Mapping[str, Any]) -> bool:
        """Whether a mapping is meant as this rather than as another check."""
        return "run" in value or "junit" in value


Test = str | TableCheck | ModelCheck | ReportedTests
"""One of a stage's `tests`."""
