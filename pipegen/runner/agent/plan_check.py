"""Whether the generated files that run this stage, the CI server's and `dvc.yaml`, are of this description."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from pipegen.description.model import Pipeline
from pipegen.description.stage_words import StagesFrom
from pipegen.description.stages import DVC_FILE, ResolvedStage, dvc_data
from pipegen.description.text import Name
from pipegen.dvc.load import load
from pipegen.errors import CheckFailed, PlanError
from pipegen.plan.build import build
from pipegen.plan.merge import merge
from pipegen.plan.model import Plan


def check_plan(
    pipeline: Pipeline, stages: Mapping[str, ResolvedStage], place: str, env: Mapping[str, str]
) -> Plan | None:
    """Compare the digest that the generated file put into the environment with the description's.

    Args:
        pipeline: the description.
        stages: all its stages.
        place: its folder relative to the repository's root.
        env: has `PIPEGEN_PLAN` and `PIPEGEN_WORKFLOWS`, where a generated file set them.

    Returns:
        The plan that runs; None where no generated file does.

    Raises:
        CheckFailed: they differ.
    """
    expected, names = env.get("PIPEGEN_PLAN"), env.get("PIPEGEN_WORKFLOWS", "").split(",")
    if not expected:
        return None
    for chains in _chains(pipeline):
        try:
            plans = [build(pipeline, stages, name, folder=place, chains=chains) for name in names]
        except PlanError:
            break
        found = merge(plans)
        if found.digest == expected:
            return found
    raise CheckFailed(
        f"the CI server runs a plan ({', '.join(names)}: {expected}) that is not this description's: "
        "run `pipegen generate`, commit what it writes, and let the server read it"
    )


def check_dvc_file(pipeline: Pipeline, folder: Path) -> None:
    """Compare `dvc.yaml` with the stages of the description; how it is written does not matter.

    Raises:
        CheckFailed: they differ.
    """
    if isinstance(pipeline.stages, StagesFrom):
        return
    path = folder / DVC_FILE
    try:
        found = load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        found = None
    if found != dvc_data(pipeline):
        raise CheckFailed(
            f"{path} is not what the description says: run `pipegen generate` and commit what it writes"
        )


def _chains(pipeline: Pipeline) -> list[bool]:
    """Whether chains share an agent, wherever the description's targets differ in that: Jenkins' `chain` parts them."""
    parted = [
        Name(name) == "jenkins" and words.get("layout") == "chain" for name, words in pipeline.targets.items()
    ]
    return sorted({not part for part in parted} or {True}, reverse=True)
