"""Gates over 200 metrics in 50 files, against the last good run and a branch, and the report with 50 plots, as a
person asks for them.

    .venv/bin/python benchmarks/quality.py [RUNS]

Each metric has a gate of two conditions. The repository has a hundred results of earlier runs, and the metrics of the
branch are read from git. The report compares with nine earlier ones, draws the plots, and is written.
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

FILES, EACH, RESULTS, PLOTS, REPORTS = 50, 4, 100, 50, 9
LIMIT = 3.0


def main(runs: int) -> int:
    """Measure, print, and return 1 if the limit is passed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        make(folder)
        gate = [str(BIN / "pipegen"), "gate", "-C", str(folder)]
        for _ in range(RESULTS):
            keep_another(folder, gate)
        report = [str(BIN / "pipegen"), "report", "-C", str(folder)]
        for number in range(REPORTS):  # each keeps its metrics
            (folder / "metrics" / "00.json").write_text(
                json.dumps({"models": {"best": {"m0": 100 + number}}})
            )
            subprocess.run(report, check=True, stdout=subprocess.DEVNULL)
        write_metrics(folder)
        measured = medians({"gate": gate, "report": report}, runs)
        size = (folder / ".pipegen" / "report" / "index.html").stat().st_size
    for name, each in measured.items():
        print(f"      pipegen {name}: {each.wall:.2f} s by the clock, {each.cpu:.2f} s CPU, median of {runs}")
    gates = FILES * EACH
    what = (
        f"{gates} gates, {2 * gates} conditions, {FILES} files, {RESULTS} results before; report of {PLOTS} plots "
        f"({size / 1e6:.1f} MB), {REPORTS} before"
    )
    return 0 if verdict(what, sum(each.wall for each in measured.values()), LIMIT, "fixed") else 1


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
    plots = [{f"plots/{number:02}.csv": {"cache": False}} for number in range(PLOTS)]
    metrics = [{path: {"cache": False}} for path in files]
    stages = {"all": {"cmd": "true", "metrics": metrics, "plots": plots}}
    for name in ("metrics", "plots"):
        (folder / name).mkdir(parents=True)
    for number in range(PLOTS):
        rows = "".join(f"{step},{3 / (1 + step)},{step * number % 17}\n" for step in range(500))
        (folder / "plots" / f"{number:02}.csv").write_text(f"step,loss,noise\n{rows}")
    (folder / "pipegen.yaml").write_text(dump({"name": "many", "stages": stages, "gates": gates}))
    write_metrics(folder)
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


def write_metrics(folder: Path) -> None:
    """The metrics files; the gates look at four numbers of each, and there are 200 others."""
    for number in range(FILES):
        values = {f"m{key}": 100 + key / 7 for key in range(EACH)}
        others = {f"group {number}": {"rmse": number / 3} for number in range(200)}
        text = json.dumps({"models": {"best": values}, "groups": others}, indent=1)
        (folder / "metrics" / f"{number:02}.json").write_text(text)


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
