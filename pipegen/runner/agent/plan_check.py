"""Whether the generated file that runs this stage was made from this description."""

from __future__ import annotations

from collections.abc import Mapping

from pipegen.description.model import Pipeline
from pipegen.description.stages import ResolvedStage
from pipegen.description.text import Name
from pipegen.errors import CheckFailed, PlanError
from pipegen.plan.build import build
from pipegen.plan.merge import merge


def check_plan(
    pipeline: Pipeline, stages: Mapping[str, ResolvedStage], place: str, env: Mapping[str, str]
) -> None:
    """Compare the digest that the generated file put into the environment with the description's.

    Args:
        pipeline: the description.
        stages: all its stages.
        place: its folder relative to the repository's root.
        env: has `PIPEGEN_PLAN` and `PIPEGEN_WORKFLOWS`, where a generated file set them.

    Raises:
        CheckFailed: they differ.
    """
    expected, names = env.get("PIPEGEN_PLAN"), env.get("PIPEGEN_WORKFLOWS", "").split(",")
    if not expected:
        return
    for chains in _chains(pipeline):
        try:
            plans = [build(pipeline, stages, name, folder=place, chains=chains) for name in names]
        except PlanError:
            break
        if merge(plans).digest == expected:
            return
    raise CheckFailed(
        f"the CI server runs a plan ({', '.join(names)}: {expected}) that is not this description's: "
        "run `pipegen generate`, commit what it writes, and let the server read it"
    )


def _chains(pipeline: Pipeline) -> list[bool]:
    """Whether chains share an agent, wherever the description's targets differ in that: Jenkins' `chain` parts them."""
    parted = [
        Name(name) == "jenkins" and words.get("layout") == "chain" for name, words in pipeline.targets.items()
    ]
    return sorted({not part for part in parted} or {True}, reverse=True)
