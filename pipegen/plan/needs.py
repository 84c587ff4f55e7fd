"""Which stage needs which: by the files that one writes and another reads, and by `after`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from pipegen.description.reading import nearest
from pipegen.description.stages import ResolvedStage, matches
from pipegen.errors import DescriptionError, Problem
from pipegen.plan.graph import CycleError, Graph, draw_cycle


def stage_graph(stages: Mapping[str, ResolvedStage]) -> Graph:
    """The stages and what each needs: data first, as DVC sees it (an output that is, holds or lies in a dependency), then `after`.

    Raises:
        DescriptionError: an `after` that names no stage, or stages that need each other in a circle, which is drawn.
    """
    writers = _Writers(stages)
    problems: list[Problem] = []
    graph = Graph({address: _needs(address, stages, writers, problems) for address in stages})
    if problems:
        raise DescriptionError(problems)
    try:
        graph.order  # noqa: B018  (finds a cycle)
    except CycleError as error:
        stage = stages[error.cycle[0]]
        raise DescriptionError([stage.problem((), "stages need each other in a circle:\n" + draw_cycle(error.cycle))]) from None
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
    while (parent := posixpath.dirname(path)) and parent != path:
        yield parent
        path = parent


def _needs(
    address: str, stages: Mapping[str, ResolvedStage], writers: _Writers, problems: list[Problem]
) -> list[str]:
    stage = stages[address]
    found = dict.fromkeys(writer for path in (*stage.deps, *stage.params) for writer in writers.of(path))
    for index, pattern in enumerate(stage.ci.after):
        named = [other for other in stages if matches(other, pattern) and other != address]
        if not named:
            at = ("ci", "after", index)
            problems.append(stage.problem(at, f"there is no other stage {pattern!r}", nearest(pattern, stages)))
        found.update(dict.fromkeys(named))
    return list(found)
