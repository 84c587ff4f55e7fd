"""The record of one stage: what is kept of it, whatever became of it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from pipegen.dvc.load import load
from pipegen.dvc.lockfile import Entry
from pipegen.dvc.stages import Stage
from pipegen.installed import version_of
from pipegen.records import StageRecord
from pipegen.runner.agent.masking import Masker

_MOST = 256 * 1024
"""Bytes of a metrics file that goes into the record."""


def as_text(record: StageRecord, masker: Masker) -> str:
    """A record as it is kept: JSON without the values of secrets."""
    plain = json.loads(json.dumps(asdict(record), default=str))
    return json.dumps(masker.data(plain), indent=1, ensure_ascii=False) + "\n"


def now() -> str:
    """The present time: ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def params_of(entry: Entry) -> Mapping[str, Any]:
    """The parameters of a run by file, as the lock file has them."""
    return dict(entry.get("params") or {})


def metrics_of(stage: Stage) -> dict[str, Any]:
    """What a stage's metrics files hold, by path; what is too large or can't be read is left out."""
    found: dict[str, Any] = {}
    for out in stage.outs:
        if (
            out.kind == "metrics"
            and out.is_local
            and os.path.isfile(out.target)
            and os.path.getsize(out.target) <= _MOST
        ):
            with contextlib.suppress(OSError, ValueError, yaml.YAMLError):
                found[os.path.relpath(out.target)] = _read(Path(out.target))
    return found


def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return load(text) if path.suffix in (".yaml", ".yml") else text


def versions() -> dict[str, str]:
    """Those of pipegen, DVC and Python."""
    import platform

    from pipegen import __version__

    found = {"pipegen": __version__, "python": platform.python_version(), "dvc": version_of("dvc")}
    return {name: version for name, version in found.items() if version}
