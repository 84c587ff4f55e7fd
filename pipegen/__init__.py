"""One description of a machine-learning pipeline becomes Jenkinsfiles, GoCD configuration and `dvc.yaml`.

A description is read from `pipegen.yaml` or built from the classes below; a `Project` is a description in its folder,
and everything that the command line does::

    from pipegen import Pipeline, Project, Stage

    project = Project.open("examples/quickstart")  # or Project(Pipeline(name="iris", stages={"train": Stage(…)}))
    project.validate()                             # DescriptionError carries every mistake, each with its place
    project.generate().write()                     # both servers' files and dvc.yaml; all of them or none

Errors are raised as `PipegenError` or one of its kinds; `pipegen.errors` draws them as a tree. What `__all__` names is
public, as is `pipegen.targets` for those who write a target; nothing else is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipegen.description.check_words import Column, ModelCheck, ReportedTests, Rows, TableCheck
    from pipegen.description.model import (
        Agent,
        Approve,
        Data,
        Defaults,
        Environment,
        Forge,
        Gate,
        Input,
        Mail,
        Model,
        On,
        People,
        Pipeline,
        Promote,
        Push,
        Python,
        Remote,
        Report,
        Secret,
        Tracking,
        Workflow,
    )
    from pipegen.description.stage_words import Ci, Foreach, Stage, StagesFrom
    from pipegen.errors import (
        AccessRefused,
        CheckFailed,
        DescriptionError,
        EditedOnServer,
        FileError,
        NotOnServer,
        OverwriteRefused,
        PipegenError,
        PlanError,
        Problem,
        RunFailed,
        ServerError,
        ServerUnavailable,
        WorkspaceError,
    )
    from pipegen.project import Generation, Project

__version__ = "0.1.0"

__all__ = [
    "AccessRefused",
    "Agent",
    "Approve",
    "CheckFailed",
    "Ci",
    "Column",
    "Data",
    "Defaults",
    "DescriptionError",
    "EditedOnServer",
    "Environment",
    "FileError",
    "Foreach",
    "Forge",
    "Gate",
    "Generation",
    "Input",
    "Mail",
    "Model",
    "ModelCheck",
    "NotOnServer",
    "On",
    "OverwriteRefused",
    "People",
    "PipegenError",
    "Pipeline",
    "PlanError",
    "Problem",
    "Project",
    "Promote",
    "Push",
    "Python",
    "Remote",
    "Report",
    "ReportedTests",
    "Rows",
    "RunFailed",
    "Secret",
    "ServerError",
    "ServerUnavailable",
    "Stage",
    "StagesFrom",
    "TableCheck",
    "Tracking",
    "Workflow",
    "WorkspaceError",
    "__version__",
]

_HOMES = (
    "pipegen.errors",
    "pipegen.description.check_words",
    "pipegen.description.stage_words",
    "pipegen.description.model",
    "pipegen.project",
)
"""Where the public names live, the cheapest to import first."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `import pipegen` itself costs next to nothing."""
    if name in __all__:
        from importlib import import_module

        for home in _HOMES:
            module = import_module(home)
            if hasattr(module, name):
                globals()[name] = found = getattr(module, name)
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
