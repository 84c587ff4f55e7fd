"""Gates over 200 metrics in 50 files, against the last good run and a branch, as a person asks for them.

    .venv/bin/python benchmarks/quality.py [RUNS]

Each metric has a gate of two conditions. The repository has a hundred results of earlier runs, and the metrics of the
branch are read from git.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import BIN, medians, verdict

from pipegen.description.dumper import dump

FILES, EACH, RESULTS = 50, 4, 100
LIMIT = 3.0


def main(runs: int) -> int:
    """Measure, print, and return 1 if the limit is passed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        make(folder)
        gate = [str(BIN / "pipegen"), "gate", "-C", str(folder)]
        for _ in range(RESULTS):
            keep_another(folder, gate)
        measured = medians({"pipegen gate": gate}, runs)["pipegen gate"]
    gates = FILES * EACH
    print(
        f"      pipegen gate: {measured.wall:.2f} s by the clock, {measured.cpu:.2f} s CPU, median of {runs}"
    )
    what = f"{gates} gates, {2 * gates} conditions, {FILES} files, {RESULTS} results before"
    return 0 if verdict(what, measured.wall, LIMIT, "fixed") else 1


def make(folder: Path) -> None:
    """A repository with metrics and gates, of two commits."""
    files = [f"metrics/{number:02}.json" for number in range(FILES)]
    gates = {
        f"gate-{number:02}-{key}": {
            "metric": f"metrics/{number:02}.json:models.best.m{key}",
            "min": 0,
            "max_increase": "10%",
            "against": "last" if key % 2 else "branch:main",
        }
        for number in range(FILES)
        for key in range(EACH)
    }
    stages = {"all": {"cmd": "true", "metrics": [{path: {"cache": False}} for path in files]}}
    (folder / "metrics").mkdir(parents=True)
    (folder / "pipegen.yaml").write_text(dump({"name": "many", "stages": stages, "gates": gates}))
    for path in files:
        values = {f"m{key}": 100 + key / 7 for key in range(EACH)}
        others = {f"group {number}": {"rmse": number / 3} for number in range(200)}
        (folder / path).write_text(json.dumps({"models": {"best": values}, "groups": others}, indent=1))
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([str(BIN / "dvc"), "init", "-q"], cwd=folder, check=True)
    for message in ("one", "two"):
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
    subprocess.run(
        [str(BIN / "pipegen"), "generate", "--target", "dvc", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def keep_another(folder: Path, gate: list[str]) -> None:
    """One more result; after the first a copy of it, a second later, which costs no process."""
    import hashlib

    results = folder / ".pipegen" / "gates" / "@local"
    kept = sorted(results.glob("*.json")) if results.is_dir() else []
    if not kept:
        subprocess.run(gate, check=True, stdout=subprocess.DEVNULL)
        return
    data = json.loads(kept[-1].read_text())
    hour, rest = int(data["at"][11:13]), data["at"][13:]
    day = 1 + (len(kept) // 24)
    data["at"] = f"2020-01-{day:02}T{(hour + len(kept)) % 24:02}{rest}"
    text = json.dumps(data)
    moment = "".join(ch for ch in data["at"].partition("+")[0] if ch.isalnum())
    digest = hashlib.sha256(text.encode()).hexdigest()
    (results / f"{moment}-{data['commit'][:12]}-passed-{digest}.json").write_text(text)


if __name__ == "__main__":
    assert shutil.which("git")
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
