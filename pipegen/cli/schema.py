"""`pipegen schema`: the grammar, for editors as JSON Schema, for people as tables."""

from __future__ import annotations

from typing import Any

import click

from pipegen.cli.output import print_json


@click.command()
@click.option("--table", "as_table", is_flag=True, help="Print Markdown tables.")
def schema(as_table: bool) -> None:
    """Print the grammar of pipegen.yaml as JSON Schema (draft 2020-12), or as tables.

    The words of all installed targets are part of it. An editor with a YAML language server takes it by the
    line
    `# yaml-language-server: $schema=pipegen.schema.json` at the top of pipegen.yaml.
    """
    if as_table:
        from pipegen.description.grammar import table

        click.echo(table(words_of_targets()), nl=False)
    else:
        from pipegen.description.json_schema import schema as as_json_schema

        print_json(as_json_schema(words_of_targets()))


def words_of_targets() -> dict[str, Any]:
    """What each installed target reads in a description, by place: `targets.jenkins`, `agents.*.jenkins` …"""
    from pipegen.targets import load_target, target_names

    return {
        f"targets.{name}" if section == "targets" else f"{section}.*.{name}": words
        for name in target_names()
        for section, words in load_target(name).words.items()
    }
