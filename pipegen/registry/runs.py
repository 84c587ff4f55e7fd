"""The runs of a pipeline, gathered from their records: those on the DVC remote and those of this machine.

Names of records tell which run a stage belongs to, when it began and what became of it: runs are listed, and found, by
names alone. Only what is looked at is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice

from pipegen.dvc.errors import RemoteError
from pipegen.dvc.run_records import Kept, RunRecords
from pipegen.errors import PipegenError
from pipegen.records import StageRecord, State
from pipegen.records.tracked import TrackedRun, records_from_data, state_of, tracked

_AT_ONCE = 20
"""Runs whose records are read together."""
_LAST = re.compile(r"last(?:~(\d{1,6}))?")
LONG = 12
"""Digits of a run's id."""
_ID = re.compile(rf"[0-9a-f]{{4,{LONG}}}")


class UnknownRun(PipegenError):
    """There is no such run, or more than one."""

    exit_code = 2


@dataclass(frozen=True)
class KeptRun:
    """A run, as far as the names of its records tell."""

    id: str
    kept: tuple[Kept, ...]
    """The newest record of each stage, oldest first."""

    @property
    def began(self) -> datetime:
        """When its first stage began; UTC."""
        return self.kept[0].began

    @property
    def state(self) -> State:
        """What became of it."""
        return state_of(each.outcome for each in self.kept)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which runs are looked for; each condition that is set must hold."""

    workflow: str = ""
    branch: str = ""
    commit: str = ""
    """The beginning of its hash."""
    failed: bool = False

    @property
    def is_told_by_names(self) -> bool:
        """Whether no record must be read to know."""
        return not (self.workflow or self.branch or self.commit)

    def has(self, run: TrackedRun) -> bool:
        """Whether a run is meant, by one of its records."""
        return (
            (not self.workflow or self.workflow in run.workflows)
            and (not self.branch or self.branch == run.branch)
            and (not self.commit or run.commit.startswith(self.commit))
        )


class Runs:
    """The runs of a pipeline.

    Args:
        pipeline: its name.
        places: where records are, the nearest first.
        notify: told in a sentence of each record, and of each place, that can't be used.
    """

    def __init__(
        self, pipeline: str, places: Sequence[RunRecords], notify: Callable[[str], None] = lambda _: None
    ) -> None:
        self.pipeline = pipeline
        self._places, self._notify = tuple(places), notify
        self._place_of: dict[Kept, RunRecords] = {}

    # ------------------------------------------------------------------------------------------ by names

    def newest_first(self) -> Iterator[KeptRun]:
        """All runs, none of their records read; months are listed as far as they are asked for.

        Raises:
            RemoteError: no place can be asked.
        """
        waiting: dict[str, list[Kept]] = {}
        for month in self._months:
            found = self._of_month(month)
            # a run that began in one month may end in the next one: it is whole when a month has nothing of it
            yield from _sorted({run: kept for run, kept in waiting.items() if run not in found})
            waiting = {run: [*waiting.get(run, ()), *kept] for run, kept in found.items()}
        yield from _sorted(waiting)

    @cached_property
    def _months(self) -> list[str]:
        """The months that have records, the newest first. A place that can't be asked is left out, and told."""
        months: set[str] = set()
        for place in self._places:
            try:
                months.update(place.months(self.pipeline))
            except RemoteError as error:
                self._places = tuple(each for each in self._places if each is not place)
                if not self._places:
                    raise
                others = ", ".join(each.shown for each in self._places)
                self._notify(f"only runs of {others} are known: {error.message}")
        return sorted(months, reverse=True)

    def _of_month(self, month: str) -> dict[str, list[Kept]]:
        found: dict[str, list[Kept]] = {}
        for place in self._places:
            for kept in place.of_month(self.pipeline, month):
                if self._place_of.setdefault(kept, place) is place:
                    found.setdefault(kept.run, []).append(kept)
        return found

    def find(self, word: str) -> KeptRun:
        """The run that a person means.

        Args:
            word: its id, or the beginning of it that no other has; `last` for the newest, `last~1` for the one before.

        Raises:
            UnknownRun: there is none, or several begin so.
            RemoteError: no place can be asked.
        """
        last = _LAST.fullmatch(word)
        if last:
            found = next(islice(self.newest_first(), int(last[1] or 0), None), None)
            if found is None:
                raise UnknownRun(f"there is no run {word!r}: `pipegen runs` lists all of {self.pipeline}")
            return found
        if not _ID.fullmatch(word):
            raise UnknownRun(
                f"{word!r} is no run: give its id, at least four digits of it, or `last` or `last~1`"
            )
        most = 1 if len(word) == LONG else 2  # a whole id is nobody else's
        same = list(islice((run for run in self.newest_first() if run.id.startswith(word)), most))
        if not same:
            raise UnknownRun(f"there is no run {word}: `pipegen runs -n 100` lists more of {self.pipeline}")
        if len(same) > 1:
            raise UnknownRun(f"several runs begin with {word}: {same[0].id}, {same[1].id}")
        return same[0]

    # ------------------------------------------------------------------------------------------ read

    def last(self, most: int, wanted: Wanted = Wanted()) -> list[TrackedRun]:
        """The newest runs that are wanted, the newest first; only their records are read.

        Args:
            most: so many.
            wanted: which.

        Raises:
            RemoteError: no place can be asked.
        """
        found: list[TrackedRun] = []
        names = (run for run in self.newest_first() if not wanted.failed or run.state == "failed")
        while len(found) < most:
            chunk = list(
                islice(names, min(_AT_ONCE, most - len(found)) if wanted.is_told_by_names else _AT_ONCE)
            )
            if not chunk:
                break
            if not wanted.is_told_by_names:
                chunk = self._those_wanted(chunk, wanted)
            found += self.read(chunk)
        return found[:most]

    def _those_wanted(self, runs: Sequence[KeptRun], wanted: Wanted) -> list[KeptRun]:
        """Those that one record of each says are wanted."""
        heads = {run.id: run for run in self.read([KeptRun(run.id, run.kept[:1]) for run in runs])}
        return [run for run in runs if run.id in heads and wanted.has(heads[run.id])]

    def read(self, runs: Iterable[KeptRun]) -> list[TrackedRun]:
        """Runs with all that is kept of them; what can't be used is left out, and told.

        Raises:
            RemoteError: no place can be asked.
        """
        runs = list(runs)
        contents = self._contents([kept for run in runs for kept in run.kept])
        found = []
        for run in runs:
            records = [record for kept in run.kept for record in self._records(kept, contents)]
            if records:
                found.append(tracked(run.id, self.pipeline, records))
        return found

    def _contents(self, wanted: Iterable[Kept]) -> Mapping[Kept, bytes]:
        by_place: dict[RunRecords, list[Kept]] = {}
        for kept in wanted:
            by_place.setdefault(self._place_of[kept], []).append(kept)
        found: dict[Kept, bytes] = {}
        for place, records in by_place.items():
            try:
                found.update(zip(records, place.read(records), strict=True))
            except RemoteError:
                found.update(self._one_by_one(place, records))
        return found

    def _one_by_one(self, place: RunRecords, records: Sequence[Kept]) -> Iterator[tuple[Kept, bytes]]:
        """Those that can be read: one of them can't."""
        problems = []
        for kept in records:
            try:
                yield kept, place.read([kept])[0]
            except RemoteError as error:
                problems.append(error)
        if len(problems) == len(records) > 1:
            raise problems[0]  # it is the place, not a record
        for problem in problems:
            self._notify(f"left out: {problem.message}")

    def _records(self, kept: Kept, contents: Mapping[Kept, bytes]) -> list[StageRecord]:
        if kept not in contents:
            return []
        try:
            return records_from_data(json.loads(contents[kept]))
        except (ValueError, RecursionError) as error:
            self._notify(f"left out: {self._place_of[kept].shown} has {kept.path}: {error}")
            return []


def _sorted(runs: Mapping[str, list[Kept]]) -> list[KeptRun]:
    found = [KeptRun(run, _newest_of_each(kept)) for run, kept in runs.items()]
    return sorted(found, key=lambda run: (run.began, run.id), reverse=True)


def _newest_of_each(records: Iterable[Kept]) -> tuple[Kept, ...]:
    """The newest record of each stage, oldest first."""
    newest = {kept.stage: kept for kept in sorted(records, key=lambda each: (each.began, each.digest))}
    return tuple(sorted(newest.values(), key=lambda each: (each.began, each.stage)))
