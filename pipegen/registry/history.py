"""What happened to one model, as the tags of a repository tell it: its versions, and where each of them served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pipegen.registry import notes, versions
from pipegen.registry.notes import Notes
from pipegen.registry.tags import ModelTag


@dataclass(frozen=True)
class Version:
    """A version of a model."""

    name: str
    """`v1.2.0`."""
    tag: ModelTag

    @property
    def commit(self) -> str:
        """The one that is tagged, whose lock file names the model."""
        return self.tag.commit

    @property
    def notes(self) -> Notes:
        """What its registration says."""
        return self.tag.notes

    @property
    def built(self) -> str:
        """The commit that was built; the tagged one where nothing says so."""
        return self.notes.get(notes.BUILT) or self.tag.commit

    @property
    def rank(self) -> tuple[object, ...]:
        """What sorts versions."""
        return versions.rank(self.name)


@dataclass(frozen=True)
class Service:
    """A version in an environment since a tag said so."""

    version: Version
    tag: ModelTag


@dataclass(frozen=True)
class History:
    """All tags of one model, in the order in which they count.

    Args:
        model: its name in the description.
        tags: of this model alone.
    """

    model: str
    tags: tuple[ModelTag, ...] = field(repr=False)

    @cached_property
    def versions(self) -> dict[str, Version]:
        """By name, the lowest first; what was taken back is left out."""
        found: dict[str, Version] = {}
        for tag in self.tags:
            if tag.word == "deprecated":
                found.clear()
            elif tag.version and tag.cancels:
                found.pop(tag.version, None)
            elif tag.version:
                found[tag.version] = Version(tag.version, tag)
        return dict(sorted(found.items(), key=lambda item: item[1].rank))

    @property
    def version_names(self) -> list[str]:
        """All that were ever given, taken back or not: a number is given once."""
        return [tag.version for tag in self.tags if tag.version]

    def at_commit(self, commit: str) -> Version | None:
        """The version of a tagged commit."""
        return next((version for version in self.versions.values() if version.commit == commit), None)

    def in_environment(self, environment: str) -> list[ModelTag]:
        """What was ever said of an environment."""
        return [tag for tag in self.tags if tag.environment == environment]

    def counter(self, environment: str) -> int:
        """The number of the last tag of an environment; 0 where there is none.

        Each environment counts for itself, so that whoever saw the same state wants the same name.
        """
        return max((tag.counter for tag in self.in_environment(environment)), default=0)

    def services(self, environment: str) -> list[Service]:
        """What served in an environment, up to what serves now. Promotions that failed, and what a person rolled back,
        are not among it: the one before the last is what a roll-back returns to."""
        found: list[Service] = []
        earlier: dict[str, list[Service]] = {}
        for tag in self.tags:
            if tag.word == "deprecated":
                found = []
            elif tag.version and tag.cancels:
                found = [each for each in found if each.version.name != tag.version]
            elif tag.environment == environment:
                earlier[tag.name] = found
                found = self._after(found, tag, earlier)
        return found

    def _after(
        self, found: list[Service], tag: ModelTag, earlier: Mapping[str, list[Service]]
    ) -> list[Service]:
        version = self.at_commit(tag.commit)
        taken_back = tag.notes.get(notes.TAKES_BACK)
        if taken_back in earlier:
            return earlier[taken_back]
        if version is None:
            return found
        if tag.cancels:
            return [each for each in found if each.version != version]
        if tag.notes.get(notes.ROLLS_BACK):
            places = [place for place, each in enumerate(found) if each.version == version]
            if places:
                return found[: places[-1] + 1]
            found = found[:-1]
        return [*found, Service(version, tag)]

    def serving(self, environment: str) -> Service | None:
        """What serves in an environment now; None for nothing."""
        found = self.services(environment)
        return found[-1] if found else None

    def before(self, environment: str) -> Service | None:
        """What a roll-back of an environment returns to; None for nothing."""
        found = self.services(environment)
        now = found[-1].version if found else None
        return next((each for each in reversed(found) if each.version != now), None)

    @property
    def environments(self) -> list[str]:
        """All that were ever named."""
        return list(dict.fromkeys(tag.environment for tag in self.tags if tag.environment))

    @property
    def last_time(self) -> int:
        """When the last tag was made, in seconds since the epoch; 0 where there is none."""
        return max((tag.time for tag in self.tags), default=0)


def history_of(model: str, tags: Iterable[ModelTag]) -> History:
    """The history of one model out of the tags of a repository."""
    own = [tag for tag in tags if tag.model == model]
    return History(model, tuple(sorted(own, key=lambda tag: (tag.time, tag.counter, tag.name))))
