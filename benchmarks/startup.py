"""CPU of `pipegen --help` over that of an empty Python program, and of `pipegen validate` beside `dvc --version`.

.venv/bin/python benchmarks/startup.py [RUNS]
"""

from __future__ import annotations

import sys

from measure import BIN, medians, verdict

HELP_SECONDS = 0.15


def main(runs: int) -> int:
    """Measure, print, and return 1 if a limit is passed."""
    pipegen, dvc, python = (str(BIN / name) for name in ("pipegen", "dvc", "python"))
    cpu = {
        name: cost.cpu
        for name, cost in medians(
            {
                "python -c pass": [python, "-c", "pass"],
                "pipegen --help": [pipegen, "--help"],
                "pipegen validate": [pipegen, "validate", "examples/house-prices"],
                "dvc --version": [dvc, "--version"],
            },
            runs,
        ).items()
    }
    for name, seconds in cpu.items():
        print(f"      {name}: {seconds:.3f} s CPU, median of {runs}")
    over = cpu["pipegen --help"] - cpu["python -c pass"]
    kept = [
        verdict("pipegen --help over python -c pass", over, HELP_SECONDS, "fixed"),
        verdict(
            "pipegen validate examples/house-prices",
            cpu["pipegen validate"],
            cpu["dvc --version"],
            "dvc --version",
        ),
    ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
