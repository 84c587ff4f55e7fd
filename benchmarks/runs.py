"""`pipegen runs` over 10,000 records in a folder that is the DVC remote: 1,250 runs of eight stages, in five months.

.venv/bin/python benchmarks/runs.py [RUNS]
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

from measure import BIN, medians, verdict

from pipegen.description.dumper import dump
from pipegen.dvc.run_records import Kept
from pipegen.records import StageRecord

RECORDS, STAGES = 10_000, 8
LIMIT = 1.0
START = datetime(2026, 11, 23, 6, tzinfo=timezone.utc)
EVERY = timedelta(hours=3)


def main(runs: int) -> int:
    """Measure, print, and return 1 if the limit is passed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        make(folder)
        oldest = ids()[-1]
        pipegen = [str(BIN / "pipegen"), "runs"]
        here = ["-C", str(folder)]
        commands = {
            "pipegen runs": [*pipegen, *here],
            "pipegen runs --failed": [*pipegen, "--failed", *here],
            "pipegen runs show last": [*pipegen, "show", *here],
            "pipegen runs compare OLDEST last": [*pipegen, "compare", *here, oldest, "last"],
        }
        measured = medians(commands, runs)
    for name, cost in measured.items():
        print(f"      {name}: {cost.wall:.2f} s by the clock, {cost.cpu:.2f} s CPU, median of {runs}")
    met = [
        verdict(f"{name}, {RECORDS:,} records", cost.wall, LIMIT, "fixed") for name, cost in measured.items()
    ]
    return 0 if all(met) else 1


def make(folder: Path) -> None:
    """A repository with a description, and its remote with the records."""
    remote = folder.parent / "remote"
    description = {
        "name": "many",
        "data": {"remote": {"name": "store", "url": str(remote)}},
        "stages": {f"s{number}": {"cmd": "true"} for number in range(STAGES)},
    }
    folder.mkdir()
    (folder / "pipegen.yaml").write_text(dump(description))
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    subprocess.run([str(BIN / "dvc"), "init", "-q"], cwd=folder, check=True)
    for kept, content in records():
        path = remote / kept.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def ids() -> list[str]:
    """The runs, the newest first."""
    return [hashlib.sha256(str(number).encode()).hexdigest()[:12] for number in range(RECORDS // STAGES)]


def records() -> Iterator[tuple[Kept, str]]:
    """As agents leave them, 5 KB each, with a hundred packages; every tenth run failed."""
    packages = {f"package-{number}": f"1.{number}.0" for number in range(100)}
    for number, run in enumerate(ids()):
        for stage in range(STAGES):
            began = START - number * EVERY + timedelta(minutes=stage)
            is_bad = number % 10 == 3 and stage == STAGES - 1
            record = StageRecord(
                stage=f"s{stage}",
                outcome="failed" if is_bad else "ran",
                started=began.isoformat(timespec="milliseconds"),
                ended=(began + timedelta(seconds=50)).isoformat(timespec="milliseconds"),
                commit=hashlib.sha1(run.encode()).hexdigest(),
                workflows=("nightly",),
                url=f"https://ci.example.com/job/many/{RECORDS - number}/",
                run=run,
                params={"params.yaml": {f"s{stage}.alpha": number / 7}},
                metrics={f"metrics/{stage}.json": {"rmse": number / 3, "r2": 0.8}},
                lock={
                    "cmd": "true",
                    "deps": [
                        {"path": f"{stage}.csv", "md5": hashlib.md5(run.encode()).hexdigest(), "size": 1}
                    ],
                },
                packages=packages,
            )
            content = json.dumps(asdict(record), indent=1)
            digest = hashlib.sha256(content.encode()).hexdigest()
            yield Kept("many", began, run, record.outcome, digest, record.stage), content


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
