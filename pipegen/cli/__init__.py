"""The command line: one module per command, imported when that command is called."""

from __future__ import annotations

import importlib
import os
import sys
from gc import set_threshold

import click

from pipegen import __version__
from pipegen.errors import PipegenError

SECTIONS = {
    "Describe": {
        "init": "Start a description here, from dvc.yaml files or as a small working project.",
        "validate": "Check the description: every mistake at once, and the lints.",
        "graph": "Draw the pipeline as text, Mermaid or dot.",
        "plan": "Show which stage becomes which CI job, and what each layout costs.",
        "generate": "Write the Jenkinsfiles, GoCD configuration and dvc.yaml.",
        "schema": "Print the grammar of pipegen.yaml as JSON Schema or as a table.",
    },
    "Run here": {
        "run": "Run the pipeline here, in parallel, with DVC's result.",
        "gate": "Judge the gates: conditions on metrics that a build must meet.",
        "view": "Show a run as a page: live on this machine, or as one file.",
        "history": "Show how long stages took over the runs, and which got slower.",
        "runs": "List, show and compare tracked runs, of this machine and of CI servers.",
        "report": "Write the report of a run: what changed, metrics, gates, tests, plots; send it.",
        "doctor": "Say what is out of date: generated files, models, packages, schedules, the cache.",
    },
    "Run on the CI server": {
        "deploy": "Bring the server to what the description says, after showing the difference.",
        "trigger": "Start a workflow.",
        "watch": "Show a run until it is over.",
        "status": "Show how runs stand.",
        "logs": "Print the log of a run, or of one of its stages.",
        "approve": "Answer what a run waits for.",
        "cancel": "Stop a run.",
        "resume": "Take up a run that ended badly.",
        "unlock": "Free a pipeline on GoCD that a run left locked.",
    },
    "Release models": {
        "register": "Make a version of a model, of what a run made.",
        "promote": "Give a version of a model to an environment, and deploy it there.",
        "rollback": "Return an environment to the version of a model before.",
        "models": "Show versions of models: where they are, who made them, their metrics.",
        "get": "Fetch a model by its version, or by where it is: house-price@production.",
    },
    "Called by generated files": {
        "affected": "Print the stages that a change can touch.",
        "values": "Fix the values of one run.",
        "exec": "Run one stage on an agent.",
        "lock": "Merge a build's lock fragments into dvc.lock, and commit it.",
    },
    "Look after DVC": {
        "gc": "Remove from the DVC remote what no branch, tag or run record needs.",
        "merge-lock": "Merge dvc.lock files stage by stage: git's merge driver.",
    },
}
"""Each command is the function of its name in the module of its name; the text is its line in `pipegen --help`."""

COMMANDS = {name: line for section in SECTIONS.values() for name, line in section.items()}

EXIT_CODES = """\b
Exit codes:
  0    done
  1    a stage failed, --check found a difference, or a release was refused or failed
  2    wrong command line
  3    the description is wrong, or can't be expressed
  4    a file can't be read or written, or would be overwritten
  5    git or DVC is missing, or the folder is not a workspace
  6    the DVC remote can't be reached, refuses, or has not what is needed
  7    the CI server can't be reached, or refuses
  130  interrupted
"""


class _LazyGroup(click.Group):
    """Knows the commands' names and lines without importing them, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"pipegen.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, "-V", "--version", prog_name="pipegen", message="%(prog)s %(version)s")
def cli() -> None:
    """One description of a machine-learning pipeline becomes Jenkinsfiles, GoCD configuration and dvc.yaml.

    The description is pipegen.yaml in this folder (or PATH, where a command takes one). Shell completion:
    eval "$(_PIPEGEN_COMPLETE=bash_source pipegen)" (or zsh_source, fish_source).
    """


def main(args: list[str] | None = None) -> None:
    """The entry point: runs one command, prints an error's message without a traceback, exits with its code."""
    # A sixth of the time of many descriptions went into looking for garbage of which there is next to none.
    set_threshold(100_000, 20, 20)
    try:
        code = cli.main(args, standalone_mode=False)
    except PipegenError as error:
        _say_error(error.message)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        _say_error("interrupted")
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # the reader of our output went away, as `| head` does; nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        from pipegen.errors import os_error

        _say_error(os_error(error, "use", error.filename or "a file").message)
        sys.exit(4)
    sys.exit(code if isinstance(code, int) else 0)


def _say_error(message: str) -> None:
    from pipegen.cli.output import styled

    click.echo(f"{styled('error:', 'red', err=True)} {message}", err=True)
