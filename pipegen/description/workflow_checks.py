"""Each workflow can start, and all that it names exists."""

from __future__ import annotations

from collections.abc import Iterator

from pipegen.description.model import On, Pipeline, Workflow
from pipegen.description.places import Stages, unknown
from pipegen.description.reading import nearest
from pipegen.description.stages import matches
from pipegen.description.text import Branch, Parameter
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem

Mistake = tuple[At, str, str]
"""Where in the workflow, what, and what to do."""


def workflows(pipeline: Pipeline, stages: Stages) -> Iterator[Problem]:
    """All problems of all workflows."""
    for name, workflow in pipeline.workflows.items():
        at: At = ("workflows", name)
        mistakes = (_trigger(workflow), _set(workflow), _inputs(workflow), _parts(pipeline, workflow))
        for where, message, hint in (found for kind in mistakes for found in kind):
            yield pipeline.source.problem((*at, *where), message, hint)
        yield from _names(pipeline, workflow, at)
        yield from _stages(pipeline, workflow, stages, at)


def _trigger(workflow: Workflow) -> Iterator[Mistake]:
    on = workflow.on
    if isinstance(on, On):
        if (on.push is None) == (on.schedule is None):
            yield (
                ("on",),
                "a workflow starts on exactly one of `push` and `schedule`",
                "make two workflows of two triggers",
            )
        if on.timezone is not None and on.schedule is None:
            yield ("on", "timezone"), "a time zone goes with `schedule`", ""
        if on.push is not None and not on.push.branches:
            yield ("on", "push", "branches"), "no branch starts this workflow", "such as: [main]"
    if workflow.affected is not None and _starts_by_itself(workflow):
        hint = "it goes with `on: push` and `on: pull_request`"
        yield ("affected",), "a workflow that no commit starts has no change to look at", hint
    if workflow.branch is None:
        return
    if not _starts_by_itself(workflow):
        yield ("branch",), "this trigger names its branches itself", "remove `branch`"
    elif Branch(workflow.branch).is_pattern:
        yield ("branch",), f"{str(workflow.branch)!r} stands for several branches, one is expected", ""


def _starts_by_itself(workflow: Workflow) -> bool:
    """Whether no commit starts it, so that it must be told its branch and may be told its parameters."""
    return workflow.on == "manual" or (isinstance(workflow.on, On) and workflow.on.schedule is not None)


def _set(workflow: Workflow) -> Iterator[Mistake]:
    for word in ("set", "inputs"):
        if getattr(workflow, word) and not _starts_by_itself(workflow):
            yield (word,), f"`{word}` is for workflows that start by hand or by schedule", ""
        if getattr(workflow, word) and _only_moves(workflow):
            yield (word,), "a workflow with `promote: {from: …}` runs no stage that could read it", ""
    taken: dict[tuple[str, str], str] = {}
    told: list[tuple[At, Parameter]] = [(("set", key), Parameter(key)) for key in workflow.set]
    told += [(("inputs", name, "sets"), Parameter(asked.sets)) for name, asked in workflow.inputs.items()]
    for where, parameter in told:
        place = (parameter.file, parameter.key)
        if place in taken:
            yield where, f"{str(parameter)!r} is set twice: by {taken[place]} too", ""
        taken.setdefault(place, ".".join(str(step) for step in where[:2]))


def _inputs(workflow: Workflow) -> Iterator[Mistake]:
    lower: dict[str, str] = {}
    for name, asked in workflow.inputs.items():
        if asked.choices and asked.default not in asked.choices:
            yield ("inputs", name, "default"), f"{asked.default!r} is none of the choices", ""
        if name.lower() in lower:
            yield (
                ("inputs", name),
                f"{str(name)!r} and {lower[name.lower()]!r} differ in case only",
                "rename one",
            )
        lower.setdefault(name.lower(), str(name))


def _only_moves(workflow: Workflow) -> bool:
    return workflow.promote is not None and workflow.promote.from_ is not None


def _parts(pipeline: Pipeline, workflow: Workflow) -> Iterator[Mistake]:
    if workflow.approve is not None and workflow.promote is None:
        yield ("approve",), "there is nothing to approve", "`approve` goes with `promote`"
    if workflow.report is not None and workflow.report.mail and pipeline.mail is None:
        yield (
            ("report", "mail"),
            "a report by mail needs a mail server",
            "describe it under `mail:` at top level",
        )
    if workflow.comment is not None and workflow.on != "pull_request":
        yield ("comment",), "only a pull request can be commented", "`comment` goes with `on: pull_request`"
    if workflow.comment is not None and pipeline.forge is None:
        yield (
            ("comment",),
            "a comment needs the place where pull requests live",
            "describe it under `forge:` at top level",
        )
    promote = workflow.promote
    if promote is not None and promote.from_ == promote.to:
        yield ("promote", "to"), f"the model has the name {str(promote.to)!r} already", ""


def _names(pipeline: Pipeline, workflow: Workflow, at: At) -> Iterator[Problem]:
    if workflow.gates != "all":
        for index, gate in enumerate(workflow.gates):
            if gate not in pipeline.gates:
                yield unknown(pipeline, (*at, "gates", index), "the gate", gate, pipeline.gates, "gates")
    for index, server in enumerate(workflow.servers or ()):
        if server not in pipeline.targets:
            yield unknown(
                pipeline, (*at, "servers", index), "the target", server, pipeline.targets, "targets"
            )
    if workflow.approve is not None and workflow.approve.by not in pipeline.people:
        yield unknown(
            pipeline,
            (*at, "approve", "by"),
            "the group of people",
            workflow.approve.by,
            pipeline.people,
            "people",
        )
    promote = workflow.promote
    if promote is None:
        return
    if promote.model not in pipeline.models:
        yield unknown(
            pipeline, (*at, "promote", "model"), "the model", promote.model, pipeline.models, "models"
        )
    given = {
        str(w.promote.to)
        for w in pipeline.workflows.values()
        if w.promote and w.promote.model == promote.model
    }
    if promote.from_ is not None and promote.from_ not in given:
        where = (*at, "promote", "from")
        message = f"no workflow gives a version of {str(promote.model)!r} the name {str(promote.from_)!r}"
        yield pipeline.source.problem(
            where, message, nearest(promote.from_, sorted(given - {str(promote.to)}))
        )


def _stages(pipeline: Pipeline, workflow: Workflow, stages: Stages, at: At) -> Iterator[Problem]:
    if workflow.stages is None:
        return
    if _only_moves(workflow):
        hint = "remove `stages`, or promote what this run makes: without `from`"
        yield pipeline.source.problem(
            (*at, "stages"), "a workflow with `promote: {from: …}` runs no stage", hint
        )
    groups = dict.fromkeys([*stages, *(stage.group for stage in stages.values())])
    for index, pattern in enumerate(workflow.stages):
        if not any(matches(address, pattern) for address in stages):
            message = f"no stage has the address {pattern!r}"
            yield pipeline.source.problem((*at, "stages", index), message, nearest(pattern, groups))
