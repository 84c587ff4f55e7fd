"""A pipeline of 1,000 stages, generated for both servers and DVC: below 2 seconds.

.venv/bin/python benchmarks/large.py [RUNS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from descriptions import description, wide, write
from measure import BIN, medians, verdict

STAGES = 1000
SECONDS = 2.0


def main(runs: int) -> int:
    """Measure, print, and return 1 if the limit is passed."""
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), description("large", wide(STAGES)))
        command = [str(BIN / "pipegen"), "generate", "--force", str(folder)]
        measured = medians({"generate": command}, runs)["generate"]
        files = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    print(f"      files: {', '.join(f'{name} {size:,} bytes' for name, size in files.items())}")
    print(f"      pipegen generate: {measured.cpu:.3f} s CPU, median of {runs}")
    return 0 if verdict(f"{STAGES:,} stages generated, by the clock", measured.wall, SECONDS, "fixed") else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
