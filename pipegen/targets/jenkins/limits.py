"""Jenkins' size limits, as measured on a real controller, with a margin.

Its linter accepts every one of these; the build fails. A declarative pipeline becomes one method of bytecode, at most
64 KiB: 192 stages with one `echo` ran and 194 failed, 94 with three steps ran and 101 failed, 50 with agent,
environment, when and post ran and 60 failed. What these have in common is the number of words and brackets, about
1,500 at the limit.
"""

from __future__ import annotations

import re

from pipegen.errors import PlanError, Problem
from pipegen.plan.model import Plan

MOST_WORDS = 1200
LIST_ELEMENTS = 200
"""Of the 250 that the CPS compiler takes."""
MAP_ENTRIES = 100
"""Of the 125 that it takes."""
NESTED_PARALLEL = 200
"""Tried with Jenkins' own CPS interpreter: 200 diamonds in a row run, 330 do not end."""

_WORD = re.compile(r"'(?:[^'\\]|\\.)*'|\w+|[{\[(:]")


def words_of(text: str) -> int:
    """How many words and opening brackets of Groovy the `pipeline` block has; a literal is one word."""
    start = text.find("pipeline {")
    end = text.find("\n}\n", start)
    return len(_WORD.findall(text[start:end]))


def too_large(plan: Plan, layout: str, text: str, file: str) -> list[Problem]:
    """A warning if a declarative file is more than Jenkins compiles."""
    used = words_of(text) / MOST_WORDS
    if used <= 1:
        return []
    message = (
        f"{file} in layout {layout!r} ({len(plan.jobs)} jobs) is {used:.0%} of what Jenkins compiles, "
        "so it is written in layout 'graph'"
    )
    hint = "say `layout: graph` to choose it, or group stages (`ci: {group: …}`) to have fewer jobs"
    return [Problem(message, hint=hint, code="jenkins-size")]


def refuse_too_large(plan: Plan) -> None:
    """Raise PlanError for what no layout can hold."""
    if len(plan.inputs) > LIST_ELEMENTS:
        raise PlanError(
            f"a Jenkins job holds {LIST_ELEMENTS} inputs at most, the workflow has {len(plan.inputs)}"
        )
    forks = sum(len(level) > 1 for level in plan.levels)
    if forks > NESTED_PARALLEL:
        raise PlanError(
            f"the jobs fork {forks} times in a row; "
            f"Jenkins runs {NESTED_PARALLEL} parallel blocks within each other at most"
        )
    most = max((len(job.env) for job in plan.jobs), default=0)
    if most > MAP_ENTRIES:
        raise PlanError(
            f"a Jenkins job holds {MAP_ENTRIES} environment variables at most, one would have {most}"
        )
