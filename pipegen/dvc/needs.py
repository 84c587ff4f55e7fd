"""Which stage needs which: an output that is, contains or lies in what another stage reads. DVC's rules and order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipegen.dvc.stages import Stage
from pipegen.errors import DescriptionError, Problem


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    writer: Stage | None = None

    def __iter__(self) -> Iterator[Stage]:
        if self.writer:
            yield self.writer
        for child in self.children.values():
            yield from child


class Outputs:
    """All outputs as a tree of path parts."""

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._top = _Node()
        for stage in stages:
            for path in stage.writes:
                self._add(path, stage)

    def _add(self, path: str, stage: Stage) -> None:
        node = self._top
        for part in path.split("/"):
            if node.writer:
                raise _overlap(path, node.writer, stage)
            node = node.children.setdefault(part, _Node())
        other = next(iter(node), None)
        if other:
            raise _overlap(path, other, stage)
        node.writer = stage

    def writers(self, path: str) -> Iterator[Stage]:
        """The stages that write `path`, a folder it lies in, or something in it, as DVC meets them."""
        node = self._top
        for part in path.split("/"):
            if node.writer:
                yield node.writer
            if part not in node.children:
                return
            node = node.children[part]
        yield from node


def _overlap(path: str, one: Stage, other: Stage) -> DescriptionError:
    if one.address == other.address:
        message = f"{one.address} writes {path} twice, or a folder and something in it"
    else:
        message = (
            f"{one.address} and {other.address} both write {path}, or one writes into a folder of the other"
        )
    return DescriptionError([Problem(message, hint="give each stage outputs of its own")])


def needs_of(stages: Mapping[str, Stage]) -> dict[str, tuple[str, ...]]:
    """For each address the addresses whose outputs it reads, itself included where it reads what it writes.

    Raises:
        DescriptionError: two stages write the same place, or one writes where another's file is.
    """
    outputs = Outputs(stages.values())
    for stage in stages.values():
        for writer in outputs.writers(stage.file):
            message = f"{writer.address} writes the folder that holds the file of {stage.address}"
            raise DescriptionError([Problem(message, hint="give it another folder to write")])
    return {
        address: tuple(
            dict.fromkeys(writer.address for path in stage.reads for writer in outputs.writers(path))
        )
        for address, stage in stages.items()
    }


def dvc_order(stages: Mapping[str, Stage], needs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The order in which `dvc repro` goes through the stages: depth first, frozen stages without their needs."""
    done: dict[str, None] = {}
    for start in stages:
        todo: list[tuple[str, Iterator[str]]] = [(start, iter(()))] if start not in done else []
        entered = {start}
        if todo:
            todo[0] = (start, iter(_followed(start, stages, needs)))
        while todo:
            address, rest = todo[-1]
            following = next((other for other in rest if other not in done and other not in entered), None)
            if following is None:
                done[address] = None
                todo.pop()
            else:
                entered.add(following)
                todo.append((following, iter(_followed(following, stages, needs))))
    return list(done)


def _followed(
    address: str, stages: Mapping[str, Stage], needs: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    return () if stages[address].frozen else needs[address]
