"""The layouts `levels` and `chain`: a declarative Jenkinsfile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipegen.plan.model import Job, Plan
from pipegen.targets.jenkins.groovy import literal
from pipegen.targets.jenkins.view import Mapper, View, minutes
from pipegen.targets.templates import render


@dataclass(frozen=True)
class Level:
    """Jobs that run at once."""

    name: str
    jobs: list[View]

    @property
    def when(self) -> list[str]:
        """The condition that all its jobs have in common, which then stands once."""
        first = self.jobs[0].when
        return first if len(self.jobs) > 1 and all(job.when == first for job in self.jobs) else []

    def when_of(self, job: View) -> list[str]:
        """The rest of a job's condition, decided before an agent or a lock is taken."""
        own = [*([] if self.when else job.when), *job.wanted]
        return ["beforeAgent true", "beforeOptions true", *own] if own else []


def declarative(mapper: Mapper, layout: str) -> str:
    """The Jenkinsfile of a plan, without its header."""
    return render(
        "jenkins",
        "declarative.Jenkinsfile.j2",
        FILTERS,
        options=build_options(mapper),
        triggers=triggers(mapper.plan),
        parameters=parameters(mapper.plan),
        environment=environment(mapper.plan),
        revision=_revision(mapper),
        levels=_levels(mapper, layout),
        **mapper.shared(),
    )


def indented(lines: Sequence[str], pad: str) -> str:
    """Lines with `pad` before each."""
    return pad + ("\n" + pad).join(lines)


def section(lines: Sequence[str], head: str, pad: str) -> str:
    """A block of lines under its head; nothing where there are none."""
    return f"{pad}{head} {{\n{indented(lines, pad + '  ')}\n{pad}}}\n" if lines else ""


FILTERS: Mapping[str, Any] = {"groovy": literal, "lines": indented, "section": section}


def build_options(mapper: Mapper) -> list[str]:
    """Options of the whole build."""
    return [
        f"buildDiscarder(logRotator(numToKeepStr: '{mapper.words.options.keep}'))",
        concurrency(mapper),
        "preserveStashes(buildCount: 10)",
        "skipDefaultCheckout()",
        f"timeout(time: {minutes(mapper.plan.timeout)}, unit: 'MINUTES')",
        "timestamps()",
    ]


def concurrency(mapper: Mapper) -> str:
    """A newer commit ends the older build of its branch, unless builds commit: theirs would end them. Others queue."""
    ends = mapper.multibranch and not mapper.plan.locks
    return "disableConcurrentBuilds(abortPrevious: true)" if ends else "disableConcurrentBuilds()"


def triggers(plan: Plan) -> list[str]:
    """`cron` with the time zone in its first line, as the cron trigger reads it."""
    return [
        f"cron({literal(cron_text(t.schedule, t.timezone))})" for t in plan.triggers.values() if t.schedule
    ]


def cron_text(schedule: str, timezone: str | None) -> str:
    """A schedule as Jenkins' cron trigger reads it."""
    return f"TZ={timezone}\n{schedule}" if timezone else schedule


def parameters(plan: Plan) -> list[str]:
    """What a person is asked; the same stands in the job definition, since Jenkins knows none before the first run."""
    lines = []
    for i in plan.inputs:
        says = f"description: {literal(i.description)}"
        if i.choices:
            ordered = dict.fromkeys([i.default, *i.choices])  # Jenkins' default is the first choice
            lines.append(
                f"choice(name: {literal(i.name)}, choices: [{', '.join(map(literal, ordered))}], {says})"
            )
        else:
            lines.append(f"string(name: {literal(i.name)}, defaultValue: {literal(i.default)}, {says})")
    return lines


def environment(plan: Plan) -> list[str]:
    """What every command of ours needs to know of its build."""
    return [f"{name} = {literal(value)}" for name, value in run_environment(plan).items()]


def run_environment(plan: Plan) -> dict[str, str]:
    """The workflows of the file, and the digest that the agent compares with the description's."""
    return {"PIPEGEN_WORKFLOWS": ",".join(plan.workflows), "PIPEGEN_PLAN": plan.digest}


def _revision(mapper: Mapper) -> dict[str, Any] | None:
    """A first stage that notes the build's commit, where several jobs start at once and would each note their own."""
    if mapper.multibranch or sum(not job.needs for job in mapper.plan.jobs) == 1:
        return None
    return {"agent": mapper.agent(mapper.plan.jobs[0].agent)}


def _levels(mapper: Mapper, layout: str) -> list[Level]:
    """The jobs in rows. What is approved or deploys stands alone: `input` and `milestone` have no place in parallel."""
    rows: list[list[Job]] = (
        [[job] for job in mapper.plan.jobs] if layout == "chain" else list(map(list, mapper.plan.levels))
    )
    levels: list[Level] = []
    for row in rows:
        views = [mapper.job(job) for job in row]
        together = [view for view in views if not view.alone]
        if together:
            levels.append(Level(f"level {len(levels) + 1}", together))
        levels += [Level(view.name, [view]) for view in views if view.alone]
    return levels
