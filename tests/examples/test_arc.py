"""What `make demo` shows of gates and reports: `tools/arc`, with imports done before."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.agents import ROOT
from tests.support.warm import EXAMPLES, PIPEGEN, warm


def test_the_arc(tmp_path: Path) -> None:
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    with warm([*PIPEGEN, *EXAMPLES], one_thread) as process:
        done = subprocess.run(
            [ROOT / "tools" / "arc", ROOT / "examples" / "house-prices", tmp_path / "arc"],
            env={**process.install(tmp_path / "bin", "pipegen", "python"), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    pushes, nights = done.stdout.split("3. Every morning")
    assert re.findall(r"\d gates: .*", pushes) == ["2 gates: 2 failed", "2 gates: 2 passed"]
    assert re.findall(r"\d gates: .*", nights) == ["4 gates: 4 passed", "4 gates: 2 passed, 2 failed"]
    assert re.search(r"fair +nightly +2  failed", nights)
    assert re.search(r"overfit +push +2  passed .*; green after ", nights)
    assert max(map(len, done.stdout.splitlines())) <= 110
    report = tmp_path / "arc" / "repository" / ".pipegen" / "report"
    text = (report / "report.txt").read_text("utf-8")
    assert "params.yaml:ingest.month: 2026-10 → 2026-11" in text
    assert "Metrics against production (house-price v1.0.0" in text
    assert "data:image/png;base64," in (report / "index.html").read_text("utf-8")
