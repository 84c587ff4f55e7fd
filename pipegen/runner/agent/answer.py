"""What the first job of a build found: what the change touches, and which stages are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipegen.dvc.lockfile import write_atomically
from pipegen.errors import FileError

VERSION = 1


@dataclass(frozen=True)
class Answer:
    """Stands in a file that all later jobs get, with the lock fragments of what is left out beside it."""

    stamp: str
    """What is built: see `Fragment.stamp`."""
    base: str = ""
    """The commit that it is compared with; empty where there is none."""
    nothing: str = ""
    """Why the build has nothing to do at all; empty where it has."""
    runs: Mapping[str, str] = field(default_factory=dict)
    """The stages that run, each with the reason."""
    left_out: tuple[str, ...] = ()
    """The stages whose result is known: their fragments are there already."""

    def write(self, path: Path) -> None:
        """Put it in a file. Raises FileError if it can't be written."""
        write_atomically(str(path), json.dumps({"answer": VERSION, **asdict(self)}, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Answer | None:
        """The answer in a file; None where there is none. Raises FileError if it is something else."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                data["stamp"], data["base"], data["nothing"], dict(data["runs"]), tuple(data["left_out"])
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileError(f"{path} does not say what the change touches: {error}") from None
