"""The results of gates, kept: in the folder, and on the DVC remote under `pipegen/gates/PIPELINE/WORKFLOW/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipegen.description.model import Pipeline
from pipegen.dvc.collect import find_root
from pipegen.dvc.stores import RemoteChoice, Store, open_store
from pipegen.errors import WorkspaceError
from pipegen.records import GateCheck, GateResult, GateRun
from pipegen.runner.agent.masking import Masker
from pipegen.runner.kept_results import LOCAL, MOST_LOCAL, KeptResults

__all__ = ["LOCAL", "MOST_LOCAL", "KeptGates", "kept_gates", "masked", "remote_store"]


class KeptGates(KeptResults[GateRun]):
    """What is known of earlier results of gates."""

    kind = "gates"

    def read(self, data: Any) -> GateRun:
        """See `KeptResults`."""
        return _run_of(data)


def kept_gates(pipeline: Pipeline, folder: Path, notify: Callable[[str], None]) -> KeptGates:
    """The results of a description's gates, here and on its DVC remote.

    Args:
        pipeline: the description.
        folder: where it lies, absolute.
        notify: told when the remote is waited for.

    Raises:
        RemoteError: the remote is configured wrongly.
    """
    return KeptGates(str(pipeline.name), folder, remote_store(pipeline, folder, notify))


def remote_store(pipeline: Pipeline, folder: Path, notify: Callable[[str], None]) -> Store | None:
    """The DVC remote of a description; None where there is none.

    Args:
        pipeline: the description.
        folder: where it lies, absolute.
        notify: told when the remote is waited for.

    Raises:
        RemoteError: the remote is configured wrongly.
    """
    remote = pipeline.data.remote
    choice = RemoteChoice(str(remote.name), remote.url) if remote else RemoteChoice()
    try:
        return open_store(find_root(folder), choice, notify)
    except WorkspaceError:
        return None


def masked(run: GateRun, masker: Masker) -> GateRun:
    """The same without the values of secrets, which a metrics file may hold as any other."""
    return _run_of(masker.data(asdict(run)))


def _run_of(data: dict[str, Any]) -> GateRun:
    gates = tuple(
        GateResult(**{**gate, "checks": tuple(GateCheck(**check) for check in gate["checks"])})
        for gate in data["gates"]
    )
    return GateRun(**{**data, "gates": gates})
