"""A directed graph of names: order, levels, critical path, transitive reduction. It knows names and numbers only."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from pipegen.errors import PlanError


class CycleError(PlanError):
    """The names in `cycle` need each other in a circle; the message draws it."""

    def __init__(self, cycle: list[str]) -> None:
        self.cycle = cycle
        super().__init__("these need each other in a circle:\n" + draw_cycle(cycle))


def draw_cycle(cycle: list[str]) -> str:
    """The circle as a picture of lines::

    ┌─► features
    │   train
    └── select
    """
    if len(cycle) == 1:
        return f"    ┌─► {cycle[0]}\n    └───┘"
    rows = [f"    │   {name}" for name in cycle]
    rows[0] = f"    ┌─► {cycle[0]}"
    rows[-1] = f"    └── {cycle[-1]}"
    return "\n".join(rows)


class Graph:
    """Names and what each of them needs. The order of names given is kept wherever nothing else decides.

    Args:
        needs: for each name the names it waits for; every name that occurs must be a key.

    Raises:
        CycleError: on first use of an order, when names need each other in a circle.
    """

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        self._needs = {name: tuple(dict.fromkeys(others)) for name, others in needs.items()}
        unknown = {other for others in self._needs.values() for other in others} - self._needs.keys()
        if unknown:
            raise ValueError(f"needed but not in the graph: {sorted(unknown)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._needs)

    def __len__(self) -> int:
        return len(self._needs)

    def __contains__(self, name: object) -> bool:
        return name in self._needs

    def needs(self, name: str) -> tuple[str, ...]:
        """What `name` waits for directly."""
        return self._needs[name]

    def dependants(self, name: str) -> tuple[str, ...]:
        """What waits for `name` directly."""
        return self._dependants[name]

    @cached_property
    def _dependants(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {name: [] for name in self._needs}
        for name, others in self._needs.items():
            for other in others:
                found[other].append(name)
        return {name: tuple(others) for name, others in found.items()}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All names, each after what it needs; of those that could come next, the one that was given first."""
        place = {name: index for index, name in enumerate(self._needs)}
        names = tuple(place)
        missing = {name: len(others) for name, others in self._needs.items()}
        ready = [place[name] for name, count in missing.items() if not count]
        found: list[str] = []
        while ready:
            name = names[heapq.heappop(ready)]
            found.append(name)
            for dependant in self._dependants[name]:
                missing[dependant] -= 1
                if not missing[dependant]:
                    heapq.heappush(ready, place[dependant])
        if len(found) < len(self._needs):
            raise CycleError(self._find_cycle({name for name, count in missing.items() if count}))
        return tuple(found)

    def _find_cycle(self, among: set[str]) -> list[str]:
        name = next(n for n in self._needs if n in among)
        seen: dict[str, int] = {}
        while name not in seen:  # every name among them needs another one among them
            seen[name] = len(seen)
            name = next(n for n in self._needs[name] if n in among)
        circle = list(seen)[seen[name] :][::-1]
        first = next(circle.index(n) for n in self._needs if n in circle)
        return circle[first:] + circle[:first]

    @cached_property
    def depth(self) -> dict[str, int]:
        """For each name the number of names on its longest way from a start, 0 for what needs nothing."""
        found: dict[str, int] = {}
        for name in self.order:
            found[name] = 1 + max((found[other] for other in self._needs[name]), default=-1)
        return found

    @cached_property
    def levels(self) -> tuple[tuple[str, ...], ...]:
        """Names of equal depth together: all of a level can run at once when the levels before it are done."""
        found: list[list[str]] = [[] for _ in range(1 + max(self.depth.values(), default=-1))]
        for name in self._needs:
            found[self.depth[name]].append(name)
        return tuple(tuple(level) for level in found)

    def ancestors(self, *names: str) -> set[str]:
        """Everything that `names` need, directly or not, without themselves unless one needs another."""
        return self._closure(names, self._needs)

    def descendants(self, *names: str) -> set[str]:
        """Everything that needs one of `names`, directly or not."""
        return self._closure(names, self._dependants)

    @staticmethod
    def _closure(names: Iterable[str], edges: Mapping[str, tuple[str, ...]]) -> set[str]:
        found: set[str] = set()
        todo = [other for name in names for other in edges[name]]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(edges[name])
        return found

    def subgraph(self, names: Iterable[str]) -> Graph:
        """The graph of `names` alone; a way through a name left out stays a need."""
        kept = set(names)
        if kept >= self._needs.keys():
            return self
        through: dict[str, tuple[str, ...]] = {}
        for name in self.order:
            found: dict[str, None] = {}
            for other in self._needs[name]:
                found.update(dict.fromkeys((other,) if other in kept else through[other]))
            through[name] = tuple(found)
        return Graph({name: through[name] for name in self._needs if name in kept})

    def reduced(self) -> Graph:
        """The transitive reduction: the same order with the fewest needs."""
        return self._reduced

    @cached_property
    def _reduced(self) -> Graph:
        ancestors: dict[str, set[str]] = {}
        kept: dict[str, tuple[str, ...]] = {}
        for name in self.order:
            above = self._needs[name]
            implied = set().union(*(ancestors[other] for other in above)) if above else set()
            kept[name] = tuple(other for other in above if other not in implied)
            ancestors[name] = implied.union(above)
        return Graph({name: kept[name] for name in self._needs})

    def remaining(self, weights: Mapping[str, float]) -> dict[str, float]:
        """For each name the weight of the heaviest way from it to an end, itself included. A missing weight is 1."""
        found: dict[str, float] = {}
        for name in reversed(self.order):
            found[name] = weights.get(name, 1.0) + max(
                (found[d] for d in self._dependants[name]), default=0.0
            )
        return found

    def critical_path(self, weights: Mapping[str, float]) -> tuple[str, ...]:
        """The heaviest way from a start to an end: no schedule is shorter than the sum of its weights."""
        if not self._needs:
            return ()
        remaining = self.remaining(weights)
        starts = [name for name in self._needs if not self._needs[name]]
        path = [max(starts, key=lambda name: remaining[name])]
        while self._dependants[path[-1]]:
            path.append(max(self._dependants[path[-1]], key=lambda name: remaining[name]))
        return tuple(path)
