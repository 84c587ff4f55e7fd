"""What a build leaves on the server: fragments, records, logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipegen.dvc.fragments import Fragment
from tests.doubles.gocd.runs import JobRun
from tests.doubles.house import agreed


@dataclass(frozen=True)
class Published:
    """What jobs left on the server."""

    jobs: Sequence[JobRun]

    def entries(self) -> dict[str, Any]:
        """What the fragments say together; they agree about every stage."""
        return agreed([Fragment.read(path) for path in self._files("fragments/", ".lock.json")])

    def outcomes(self) -> dict[str, str]:
        """What became of each stage, by its record."""
        records = [json.loads(path.read_text("utf-8")) for path in self._files("pipegen/records/", ".json")]
        return {record["stage"]: record["outcome"] for record in records}

    def _files(self, folder: str, end: str) -> list[Path]:
        return [
            job.store / path
            for job in self.jobs
            for path in job.artifacts
            if path.startswith(folder) and path.endswith(end)
        ]

    @property
    def log(self) -> str:
        """All logs."""
        return "\n".join(job.console.text for job in self.jobs)
