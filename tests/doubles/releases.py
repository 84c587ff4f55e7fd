"""A house whose model is registered, promoted, approved and deployed: the same for both servers."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.doubles.house import House
from tests.support.repositories import sh

STAGES = {
    "train": {
        "cmd": "cp seed.txt model.txt && cp seed.txt m.json",
        "deps": ["seed.txt"],
        "params": ["a.k"],
        "outs": ["model.txt"],
        "metrics": ["m.json"],
    }
}
DEPLOY = (
    'cp "$WHERE/now" "$WHERE/before"; cp model.txt "$WHERE/now" && echo "$PIPEGEN_VERSION" >> "$WHERE/log"'
)
WORKFLOWS = {
    "nightly": {
        "on": {"schedule": "0 6 * * *"},
        "set": {"a.k": 2},
        "gates": "all",
        "promote": {"model": "toy", "to": "staging"},
    },
    "release": {
        "on": "manual",
        "promote": {"model": "toy", "from": "staging", "to": "production"},
        "approve": {"by": "leads"},
    },
    "ship": {
        "on": "manual",
        "gates": "all",
        "promote": {"model": "toy", "to": "production"},
        "approve": {"by": "leads"},
    },
}
OPTIONS = {
    "models": {"toy": {"path": "model.txt"}},
    "gates": {"good": {"metric": "m.json:r2", "min": 0.5}},
    "people": {"leads": {"jenkins": ["ann", "bob"], "gocd": {"roles": ["leads"]}}},
    "environments": {
        "production": {
            "deploy": DEPLOY,
            "verify": '! grep -q bad "$WHERE/now"',
            "rollback": 'cp "$WHERE/before" "$WHERE/now"; echo back >> "$WHERE/log"',
        }
    },
    "workflows": WORKFLOWS,
}


class Service:
    """What the house's repository and its environment say of the model.

    Args:
        house: the house.
        folder: where it is deployed.
    """

    def __init__(self, house: House, folder: Path) -> None:
        self._house, self._folder = house, folder
        folder.mkdir()
        (folder / "now").write_text("nothing")

    @property
    def env(self) -> dict[str, str]:
        """What the commands of the environment need."""
        return {"WHERE": str(self._folder)}

    def train(self, r2: float, **more: int) -> None:
        """Commit what makes another model."""
        self._house.commit(f"r2 {r2}", {"seed.txt": json.dumps({"r2": r2, **more})})

    @property
    def log(self) -> list[str]:
        """The versions that were deployed, and `back` for each roll-back."""
        path = self._folder / "log"
        return path.read_text().split() if path.exists() else []

    @property
    def now(self) -> float:
        """The metric of the model in service."""
        return float(json.loads((self._folder / "now").read_text())["r2"])

    @property
    def tags(self) -> list[str]:
        """All of the repository, the oldest first."""
        return sh(self._house.origin, "git", "tag", "--sort=creatordate").split()

    def notes(self, tag: str) -> dict[str, str]:
        """What a tag says."""
        text = sh(self._house.origin, "git", "tag", "-n99", "-l", tag)
        return dict(re.findall(r"Pipegen-([\w-]+): (.*)", text))
