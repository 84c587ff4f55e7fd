"""What may go from a DVC remote: data and runs that nothing needs any more.

Needed is what a `dvc.lock` or `.dvc` file at the tip of any branch or tag names, what a run record names whose digest
stands in a tag, and what a run cache entry or a run record names that is young enough to be restored. Whatever arrived
in the last days stays in any case: a build may be on its way. Run records themselves always stay; they are small. What
a killed push left half written goes too.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipegen.dvc import run_records
from pipegen.dvc.run_records import Kept
from pipegen.dvc.stores import Item, Store
from pipegen.errors import WorkspaceError

_SHA256 = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_MD5 = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?:\.dir)?(?![0-9a-f])")
_DAY = 86400.0


@dataclass(frozen=True)
class Garbage:
    """What nothing needs."""

    objects: tuple[Item, ...]
    runs: tuple[Item, ...]
    kept: int
    """How many files stay."""

    @property
    def all(self) -> tuple[Item, ...]:
        """Runs first: one that is there promises its data."""
        return (*self.runs, *self.objects)

    @property
    def bytes(self) -> int:
        """How much room it takes."""
        return sum(item.size for item in self.all)


@dataclass
class _Needed:
    hashes: set[str] = field(default_factory=set)

    def add(self, content: bytes) -> None:
        self.hashes |= {found.decode() for found in _MD5.findall(content)}


def garbage(
    store: Store, roots: Sequence[Path], *, now: float, keep_runs: float, keep_young: float
) -> Garbage:
    """What may go from a remote.

    Args:
        store: the remote.
        roots: all git repositories that use it, with all their branches and tags, those of their servers too.
        now: the present time, in seconds since the epoch.
        keep_runs: days for which a run can be restored, and what it read and made be looked at.
        keep_young: days for which everything stays.

    Raises:
        RemoteError: the remote can't be read.
        WorkspaceError: git can't be asked.
    """
    needed, tagged = _Needed(), set[str]()
    for root in roots:
        for content in _named_in_git(root):
            needed.add(content)
        tagged |= _digests_in_tags(root)
    records = list(store.walk(run_records.FOLDER))
    runs, objects = list(store.walk("runs")), list(store.walk("files/md5"))
    fresh = [run for run in runs if now - run.modified < keep_runs * _DAY]
    kept = [r for r in records if now - r.modified < keep_runs * _DAY or _digest_of(r) in tagged]
    _read(store, [*fresh, *kept], needed.add)
    old_objects = [item for item in objects if now - item.modified >= keep_young * _DAY]
    listings = [item for item in objects if item.path.endswith(".dir") and _hash_of(item) in needed.hashes]
    _read(store, listings, needed.add)
    young = {run.path for run in fresh}
    gone = tuple(item for item in old_objects if _hash_of(item) not in needed.hashes)
    stale = tuple(run for run in runs if run.path not in young and now - run.modified >= keep_young * _DAY)
    total = len(runs) + len(objects) + len(records)
    return Garbage(gone, stale, total - len(gone) - len(stale))


def _hash_of(item: Item) -> str:
    folder, _, rest = item.path.removeprefix("files/md5/").partition("/")
    return folder + rest


def _read(store: Store, items: Iterable[Item], use: Callable[[bytes], None]) -> None:
    """Read small files of the remote, several at once."""
    with tempfile.TemporaryDirectory(prefix="pipegen-") as folder:

        def one(numbered: tuple[int, Item]) -> bytes:
            target = os.path.join(folder, str(numbered[0]))
            return Path(target).read_bytes() if store.get(numbered[1].path, target) else b""

        for content in store.each(one, enumerate(items)):
            use(content)


def _digest_of(record: Item) -> str:
    known = Kept.at(record.path)
    return known.digest if known else ""


def _digests_in_tags(root: Path) -> set[str]:
    """What annotated tags carry: the digests of the records of registered models."""
    said = _git(root, "for-each-ref", "--format=%(contents)", "refs/tags")
    return {found.decode() for found in _SHA256.findall(said)}


def _named_in_git(root: Path) -> Iterator[bytes]:
    """The lock files and `.dvc` files at the tips of all branches and tags, and in the working folder."""
    blobs: set[str] = set()
    for commit in set(_git(root, "for-each-ref", "--format=%(objectname)").decode().split()) | {"HEAD"}:
        try:
            listing = _git(root, "ls-tree", "-r", "-z", "--full-tree", commit)
        except WorkspaceError:
            continue  # a tag of something that is no commit, or a repository without one
        for row in listing.split(b"\0"):
            head, _, name = row.partition(b"\t")
            if name.endswith((b"dvc.lock", b".dvc")):
                blobs.add(head.split()[2].decode())
    for blob in sorted(blobs):
        yield _git(root, "cat-file", "blob", blob)
    names = _git(root, "ls-files", "-z", "--cached", "--others", "--", ":(top)*dvc.lock", ":(top)*.dvc")
    for name in names.split(b"\0"):
        path = root / os.fsdecode(name)
        if name and path.is_file():
            yield path.read_bytes()


def _git(root: Path, *words: str) -> bytes:
    done = subprocess.run(("git", *words), cwd=root, capture_output=True, check=False)
    if done.returncode:
        raise WorkspaceError(
            f"git {words[0]} failed in {root}: {done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout


def remove(store: Store, found: Garbage) -> None:
    """Remove it: first what promises data, then data.

    Raises:
        RemoteError: the remote refuses.
    """
    store.delete([item.path for item in found.runs])
    store.delete([item.path for item in found.objects if item.path.endswith(".dir")])
    store.delete([item.path for item in found.objects if not item.path.endswith(".dir")])


def is_shallow(root: Path) -> bool:
    """Whether the clone lacks history; tips of branches that were not fetched may lack too."""
    return _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
