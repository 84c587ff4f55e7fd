"""Bringing a report to people: by mail, and as a comment on the pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pipegen.description.model import Pipeline
from pipegen.errors import AccessRefused, PipegenError
from pipegen.records.report import Report
from pipegen.runner.agent.masking import Masker, secret_values
from pipegen.runner.report.task import ReportTask
from pipegen.views import comment, mail
from pipegen.views.report.letter import letter
from pipegen.views.report.remark import remark

OUTSIDE = "a pull request from outside is built without secrets"


@dataclass
class Delivered:
    """What became of it; texts hold no secret."""

    done: list[str] = field(default_factory=list)
    """Sentences about what was sent, and about what was rightly not sent."""
    failed: list[str] = field(default_factory=list)
    """Sentences about what should have been sent."""


class _Lacking(Exception):
    """A secret's variables are not there; the message names them."""


def is_to_be_sent(task: ReportTask) -> bool:
    """Whether the workflow says that anybody is to get it."""
    workflow = task.gates.described
    return bool(workflow and ((workflow.report and workflow.report.mail) or workflow.comment))


def deliver(report: Report, task: ReportTask, say: Callable[[str], None]) -> Delivered:
    """Send a report to all that its workflow names. One way that fails keeps it from no other.

    Args:
        report: what to send.
        task: whose it is.
        say: told why it takes longer.
    """
    masker = Masker(secret_values(task.gates.secrets, task.env))
    delivered = Delivered()
    workflow = task.gates.described
    ways = {
        "not mailed": _mail if workflow and workflow.report and workflow.report.mail else None,
        "no comment": _comment if workflow and workflow.comment else None,
    }
    for failure, way in ways.items():
        if way is None:
            continue
        try:
            delivered.done.append(masker.text(way(report, task, lambda words: say(masker.text(words)))))
        except _Lacking as lacking:
            if task.is_foreign:
                delivered.done.append(f"{failure}: {OUTSIDE}")
            else:
                delivered.failed.append(f"{failure}: {lacking}")
        except PipegenError as error:
            delivered.failed.append(masker.text(f"{failure}: {error.message}"))
    return delivered


def _mail(report: Report, task: ReportTask, say: Callable[[str], None]) -> str:
    workflow, settings = task.gates.described, task.gates.pipeline.mail
    assert workflow is not None and workflow.report is not None
    if settings is None:
        raise _Lacking("the description has no `mail`")
    recipients = [str(address) for address in workflow.report.mail]
    words = _secret(task, settings.secrets, "mail")
    if len(words) > 2:
        raise _Lacking("the secrets of `mail` have more than two variables: they are user and password")
    sender = str(settings.from_)
    user = words[0] if len(words) == 2 else sender if words else ""
    account = mail.Account(
        server=str(settings.server), sender=sender, user=user, password=words[-1] if words else ""
    )
    mail.send(letter(report), account, recipients, patience=mail.PATIENCE, say=say)
    return f"mailed to {', '.join(recipients)}"


def _comment(report: Report, task: ReportTask, say: Callable[[str], None]) -> str:
    pipeline = task.gates.pipeline
    if not task.pull:
        return "no comment: this build is of no pull request (CHANGE_ID and PIPEGEN_PULL_REQUEST are not set)"
    if not (task.pull.isascii() and task.pull.isdigit()):
        return f"no comment: {task.pull[:40]!r} is no number of a pull request"
    forge = _forge(pipeline, task, say)
    about = f"{pipeline.name} {task.gates.workflow}"
    try:
        where = comment.put(forge, int(task.pull), remark(report), about=about)
    except AccessRefused as refused:
        if not task.is_foreign:
            raise
        return f"no comment: {refused.message}"
    return f"comment on pull request {task.pull}" + (f": {where}" if where else "")


def _forge(pipeline: Pipeline, task: ReportTask, say: Callable[[str], None]) -> comment.Forge:
    if pipeline.forge is None:
        raise _Lacking("the description has no `forge`")
    if not pipeline.repository:
        raise _Lacking("the description does not say in `repository` which one it is on the forge")
    words = _secret(task, pipeline.forge.secrets, "forge")
    if len(words) != 1:
        raise _Lacking("the secrets of `forge` have to be one variable, which holds the token")
    kind = comment.load_forge(str(pipeline.forge.type))
    path = comment.repository_path(str(pipeline.repository))
    return kind(str(pipeline.forge.url), path, words[0], say=say)


def _secret(task: ReportTask, names: Iterable[str], whose: str) -> list[str]:
    """The values of the variables of secrets, in the order of the description."""
    secrets = task.gates.pipeline.secrets
    variables = [str(variable) for name in names for variable in secrets[name].env]
    missing = [variable for variable in variables if not task.env.get(variable)]
    if missing:
        raise _Lacking(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, which the secrets of `{whose}` "
            "name: give this job the secret"
        )
    return [task.env[variable] for variable in variables]
