"""Which stage needs which: by the files that one writes and another reads, and by `after`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipegen.description.reading import nearest
from pipegen.description.stages import ResolvedStage, matches
from pipegen.errors import DescriptionError, Problem
from pipegen.plan.graph import CycleError, Graph, draw_cycle


def stage_graph(stages: Mapping[str, ResolvedStage]) -> Graph:
    """The stages and what each needs: data first, as DVC sees it, then `after`.

    Data flows where an output is, holds or lies in a dependency or a params file.

    Raises:
        DescriptionError: an `after` that names no stage, or stages that need each other in a circle, which is drawn.
    """
    writers, items = _Writers(stages), _items(stages)
    problems: list[Problem] = []
    graph = Graph({address: _needs(address, stages, items, writers, problems) for address in stages})
    if problems:
        raise DescriptionError(problems)
    try:
        graph.order  # noqa: B018  (finds a cycle)
    except CycleError as error:
        stage = stages[error.cycle[0]]
        message = "stages need each other in a circle:\n" + draw_cycle(error.cycle)
        raise DescriptionError([stage.problem((), message)]) from None
    return graph


class _Writers:
    """Who writes a path, or something above or below it."""

    def __init__(self, stages: Mapping[str, ResolvedStage]) -> None:
        self.at: dict[str, list[str]] = {}
        self.below: dict[str, list[str]] = {}
        for address, stage in stages.items():
            for out in stage.outs:
                self.at.setdefault(out.path, []).append(address)
                for parent in _parents(out.path):
                    self.below.setdefault(parent, []).append(address)

    def of(self, path: str) -> Iterator[str]:
        yield from self.at.get(path, ())
        for parent in _parents(path):
            yield from self.at.get(parent, ())
        yield from self.below.get(path, ())


def _parents(path: str) -> Iterator[str]:
    parent = path.rpartition("/")[0]
    while parent := parent.rstrip("/"):
        yield parent
        parent = parent.rpartition("/")[0]
    if path.startswith("/"):
        yield "/"
    elif path not in (".", "..") and not path.startswith("../") and "://" not in path:
        yield "."


def _items(stages: Mapping[str, ResolvedStage]) -> dict[str, list[str]]:
    """For each foreach or matrix group its stages."""
    found: dict[str, list[str]] = {}
    for address, stage in stages.items():
        found.setdefault(stage.group, []).append(address)
    return found


def _named(pattern: str, stages: Mapping[str, ResolvedStage], items: Mapping[str, list[str]]) -> list[str]:
    """The stages that an `after` names: see `matches`. Nearly all are plain names, which need no search."""
    if "*" in pattern:
        return [address for address in stages if matches(address, pattern)]
    return items.get(pattern) or ([pattern] if pattern in stages else [])


def _needs(
    address: str,
    stages: Mapping[str, ResolvedStage],
    items: Mapping[str, list[str]],
    writers: _Writers,
    problems: list[Problem],
) -> list[str]:
    stage = stages[address]
    found = dict.fromkeys(writer for path in (*stage.deps, *stage.params) for writer in writers.of(path))
    for index, pattern in enumerate(stage.ci.after):
        named = [other for other in _named(pattern, stages, items) if other != address]
        if not named:
            at = ("ci", "after", index)
            near = nearest(pattern, (*items, *(a for a in stages if a not in items and a != address)))
            problems.append(stage.problem(at, f"there is no other stage {pattern!r}", near))
        found.update(dict.fromkeys(named))
    return list(found)
