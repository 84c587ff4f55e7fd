"""Descriptions of a given size, as text."""

from __future__ import annotations

from pathlib import Path


def stage(name: str, needs: list[str]) -> str:
    """One stage that reads what others wrote, in the words of `pipegen.yaml`."""
    deps = ", ".join([f"src/{name}.py", *(f"data/{other}.csv" for other in needs)])
    return (
        f"  {name}:\n"
        f"    cmd: python src/{name}.py --seed 7\n"
        f"    deps: [{deps}]\n"
        f"    params: [{name}.rate]\n"
        f"    outs: [data/{name}.csv]\n"
        f"    ci: {{timeout: 45m, retry: 1}}\n"
    )


def description(name: str, stages: dict[str, list[str]]) -> str:
    """A whole description: the stages with what each needs, an agent and a workflow on push."""
    return (
        f"name: {name}\n"
        f"repository: https://git.example.com/team/{name}.git\n"
        f"install: pip install pipegen-ci==1.0\n"
        "agents: {linux: {jenkins: {label: linux}, gocd: {resources: [linux]}}}\n"
        "defaults: {agent: linux, timeout: 30m}\n"
        "stages:\n" + "".join(stage(each, needs) for each, needs in stages.items()) + "workflows:\n"
        "  push: {on: {push: {branches: [main]}}}\n"
    )


def fan(width: int) -> dict[str, list[str]]:
    """A stage, `width` chains of two that need it, and one that needs them all: ten stages for a width of 4."""
    middle = [f"part{number}" for number in range(width)]
    more = [f"fit{number}" for number in range(width)]
    return {
        "load": [],
        **{name: ["load"] for name in middle},
        **{name: [other] for name, other in zip(more, middle, strict=True)},
        "judge": more,
    }


def wide(total: int, width: int = 50) -> dict[str, list[str]]:
    """`total` stages in rows of `width`; each needs two of the row above."""
    names = [f"s{number}" for number in range(total)]
    return {
        name: []
        if number < width
        else [names[number - width], names[number - width + (1 if (number + 1) % width else 1 - width)]]
        for number, name in enumerate(names)
    }


def write(folder: Path, text: str) -> Path:
    """`pipegen.yaml` in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipegen.yaml").write_text(text)
    return folder
