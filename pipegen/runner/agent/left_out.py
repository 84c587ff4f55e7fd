"""A stage that the first job of a build left out, where the server runs its job all the same."""

from __future__ import annotations

from pipegen.dvc import fragments
from pipegen.dvc.fragments import Fragment
from pipegen.dvc.workspace import Workspace
from pipegen.runner.agent.answer import Answer
from pipegen.runner.agent.lock_files import lock_texts, publish
from pipegen.runner.agent.task import AgentTask


def fragment_of(task: AgentTask, stamp: str) -> Fragment | None:
    """What the first job found that the stage hands on, with all that it needs; None where it is to run.

    Raises:
        StageError: a fragment was made of something else, or two disagree.
        FileError: the answer can't be read.
    """
    answer = Answer.read(task.answer)
    if task.force or answer is None or answer.stamp != stamp or task.address not in answer.left_out:
        return None
    merged = fragments.merge(fragments.fragments_in(task.fragments), [*task.ancestors, task.address], stamp)
    if task.address not in merged.entries:
        return None
    return Fragment(task.address, stamp, entries=merged.entries, files=merged.files)


def publish_lock(task: AgentTask, fragment: Fragment) -> None:
    """Publish the lock file with all that the last stage of a build hands on.

    Raises:
        FileError: it can't be written.
    """
    order = Workspace(task.folder).order
    publish(task.folder, lock_texts(task.folder, fragment.entries, order))
