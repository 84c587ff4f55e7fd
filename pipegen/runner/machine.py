"""What this machine offers."""

from __future__ import annotations

import os
from pathlib import Path


def cores() -> int:
    """How many commands to run at once: the cores this process may use, or what its container is granted."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, _granted() or available))


def _granted() -> int | None:
    """The CPU limit of a control group, version 2, rounded up."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return None if quota == "max" else -(-int(quota) // int(period))
    except (OSError, ValueError):
        return None
