"""What the pages show is true: YAML is loaded, links lead somewhere, and nothing installs a stranger's package.

A block marked `yaml` is a description or a part of one. YAML of another kind says so after that word
(`yaml dvc`) and is only parsed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipegen import DescriptionError, Pipeline, Project, StagesFrom
from pipegen.description.load import load
from pipegen.dvc.yaml12 import parse
from tests.support.fences import Fence, fences

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")])
FENCES = [fence for page in PAGES for fence in fences(page, ROOT)]
ELSE = {"name": "name: docs", "stages": 'stages: {nothing: {cmd: "true"}}'}
"""What a part of a description lacks to be a whole one."""


def of(*infos: str) -> list[Fence]:
    """The blocks of a language."""
    return [fence for fence in FENCES if fence.info in infos]


def test_the_pages_that_must_be_there_show_yaml() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/targets.md"} <= {
        page.relative_to(ROOT).as_posix() for page in PAGES
    }
    assert "README.md" in {fence.page for fence in of("yaml")}


@pytest.mark.parametrize("fence", of("yaml"), ids=str)
def test_yaml_is_a_description_or_a_part_of_one(fence: Fence, tmp_path: Path) -> None:
    keys = re.findall(r"^([a-z]+):", fence.text, re.MULTILINE)
    lacking = [line for key, line in ELSE.items() if key not in keys]
    file = tmp_path / "pipegen.yaml"
    file.write_text("\n".join([fence.text, *lacking]) + "\n")
    pipeline = load(file)
    assert isinstance(pipeline, Pipeline)
    assert keys
    unknown_target = "there is no target 'thing'"  # docs/targets.md brings it, and another test installs it
    if not lacking and not isinstance(pipeline.stages, StagesFrom):
        problems = Project(pipeline, tmp_path).problems()
        assert [str(problem) for problem in problems if unknown_target not in problem.message] == []


def test_other_yaml_is_yaml() -> None:
    for fence in FENCES:
        if fence.info.startswith("yaml "):
            parse(fence.text, str(fence))


def test_python_is_python() -> None:
    for fence in of("python"):
        compile(fence.text, str(fence), "exec")


def test_the_library_s_example_works(tmp_path: Path) -> None:
    (block,) = [fence for fence in of("python") if fence.page == "README.md"]
    shutil.copytree(ROOT / "examples" / "quickstart", tmp_path / "examples" / "quickstart")
    command = [sys.executable, "-c", block.text]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['prepare")


def test_a_wrong_block_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="stagess"):
        test_yaml_is_a_description_or_a_part_of_one(Fence("page", 1, "yaml", "stagess: {}"), tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert dead == []


def test_nothing_installs_the_stranger_s_package() -> None:
    """`pipegen` on PyPI is another project; ours is `pipegen-ci`."""
    stranger = re.compile(
        r"""\b(?:install|add|requires?)\s+(?:-\S+\s+)*["']?pipegen(?![-\w])(?=["'\[=<>~!\s]|$)""",
        re.MULTILINE,
    )
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    texts = [
        ROOT / name for name in listed.split("\0") if name and (ROOT / name).suffix not in (".png", ".svg")
    ]
    assert stranger.search("pip install -q pipegen==1.0")
    assert not stranger.search("pip install pipegen-ci==1.0")
    found = [
        f"{path.relative_to(ROOT)}: {hit.group()}"
        for path in texts
        if path.is_file() and path.resolve() != Path(__file__)
        for hit in stranger.finditer(path.read_text("utf-8", errors="replace"))
    ]
    assert found == []
