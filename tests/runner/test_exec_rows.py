"""Each row of the table in `docs/agents.md`: what becomes of which stage on agents, or why `generate` refuses it."""

from __future__ import annotations

import functools
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipegen.errors import DescriptionError
from pipegen.project import Project
from tests.runner.conftest import MakeBuild
from tests.support.agents import FRAGMENTS, Build, lock_of, make_origin
from tests.support.cli import pipegen
from tests.support.repositories import dvc, sh, write

HEAD = "pipegen: 1\nname: small\nrepository: https://git.example.com/small.git\n"
TAIL = "workflows: {push: {on: {push: {branches: [main]}}}}\n"
TWO = "  two: {cmd: cp one two, deps: [one], outs: [two]}\n"


def text(one: str, more: str = "", top: str = "") -> str:
    """A description of a stage `one` and, unless `more` has another, `two` that reads it."""
    return f"{HEAD}{top}stages:\n  one: {{{one}}}\n{more or TWO}{TAIL}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a server of one file, `d.csv`."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "d.csv").write_text("from the web\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(tmp_path / "web")))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def commit(origin: Path) -> None:
    sh(origin, "git", "add", "-A")
    sh(origin, "git", "commit", "-qm", "more")


def describe(origin: Path, description: str) -> None:
    """Change the description, and `dvc.yaml` with it."""
    write(origin, {"pipegen.yaml": description})
    Project.open(origin).generate(["dvc"]).write(force=True)


# ------------------------------------------------------------------------------------------------- right on agents

Prepare = Callable[[Path, str, Path], None]


def no_more(origin: Path, web: str, template: Path) -> None:
    """The description is all there is."""


def import_url(origin: Path, web: str, template: Path) -> None:
    dvc(origin, "import-url", "-q", f"{web}/d.csv", "d.csv")
    dvc(origin, "push", "-q")


def import_from_repository(origin: Path, web: str, template: Path) -> None:
    other, remote = origin.parent / "other", str(origin.parent / "other-remote")
    make_origin(
        other,
        template,
        text("cmd: cp seed.txt one, deps: [seed.txt], outs: [one]"),
        remote,
        **{"seed.txt": "x\n"},
    )
    dvc(other, "repro", "-q")
    dvc(other, "push", "-q")
    commit(other)
    dvc(origin, "import", "-q", str(other), "two", "-o", "d.csv")


def add(origin: Path, web: str, template: Path) -> None:
    write(origin, {"d.csv/a": "1\n", "d.csv/deep/b": "2\n"})
    dvc(origin, "add", "-q", "d.csv")
    dvc(origin, "push", "-q")


def old_data(origin: Path, web: str, template: Path) -> None:
    """As DVC 2 kept it: another place on the remote, and no word of how it was hashed."""
    md5 = hashlib.md5(b"of old\n").hexdigest()
    write(origin, {"d.csv.dvc": f"outs:\n- md5: {md5}\n  size: 7\n  path: d.csv\n", ".gitignore": "/d.csv\n"})
    write(origin.parent / "remote", {f"{md5[:2]}/{md5[2:]}": "of old\n"})


def dataset(origin: Path, web: str, template: Path) -> None:
    other = make_origin(
        origin.parent / "other", template, text("cmd: 'true'", " \n"), None, **{"d.csv": "1\n"}
    )
    write(origin, {"pipegen.yaml": (origin / "pipegen.yaml").read_text().replace("OTHER", str(other))})
    describe(origin, (origin / "pipegen.yaml").read_text())
    dvc(origin, "ds", "update", "d")


def over_agents(build: Build) -> Path:
    """All stages, each on an agent of its own, within this process; the last agent's folder."""
    for stage in (graph := Project.open(build.origin).graph).order:
        agent = build.agent()
        for need in graph.reduced().needs(stage):
            build.give(need, agent)
        done = pipegen("exec", stage, cwd=agent)
        assert done.code == 0, done.text
        shutil.copy(agent / FRAGMENTS / f"{stage}.lock.json", build.fragments)
    return agent


COPY = "deps: [seed.txt], outs: [one]"
RIGHT: dict[str, tuple[str, Prepare]] = {
    "cached file": (text(f"cmd: cp seed.txt one, {COPY}"), no_more),
    "cached folder": (
        text(
            f"cmd: 'mkdir -p one/deep && cp seed.txt one/deep/a', {COPY}",
            TWO.replace("cp one", "cp one/deep/a"),
        ),
        no_more,
    ),
    "empty folder": (text(f"cmd: mkdir one, {COPY}", TWO.replace("cp one", "ls one >")), no_more),
    "metric without cache": (
        text("cmd: cp seed.txt one, deps: [seed.txt], metrics: [{one: {cache: false}}]"),
        no_more,
    ),
    "folder without cache": (
        text(
            "cmd: 'mkdir one && cp seed.txt one/a', deps: [seed.txt], outs: [{one: {cache: false}}]",
            TWO.replace("cp one", "cp one/a"),
        ),
        no_more,
    ),
    "persist": (text("cmd: cat seed.txt >> one, deps: [seed.txt], outs: [{one: {persist: true}}]"), no_more),
    "always changed": (text(f"cmd: cp seed.txt one, {COPY}, always_changed: true"), no_more),
    "no deps": (text("cmd: echo 1 > one, outs: [one]"), no_more),
    "no outs": (
        text("cmd: cat seed.txt, deps: [seed.txt]", "  two: {cmd: 'true', ci: {after: [one]}}\n"),
        no_more,
    ),
    "not pushed, read by nobody": (
        text(f"cmd: cp seed.txt one, {COPY}".replace("[one]", "[{one: {push: false}}]"), " \n"),
        no_more,
    ),
    "link": (text(f"cmd: ln -s seed.txt one, {COPY}"), no_more),
    "data of dvc add": (text("cmd: cp d.csv/deep/b one, deps: [d.csv/deep/b], outs: [one]"), add),
    "data of DVC 2": (text("cmd: cp d.csv one, deps: [d.csv], outs: [one]"), old_data),
    "import from an address": (text("cmd: cp d.csv one, deps: [d.csv], outs: [one]"), import_url),
    "import from a repository": (
        text("cmd: cp d.csv one, deps: [d.csv], outs: [one]"),
        import_from_repository,
    ),
    "dependency by address": (text("cmd: echo 1 > one, deps: ['WEB/d.csv'], outs: [one]"), no_more),
    "dataset": (
        text(
            f"cmd: cp seed.txt one, {COPY}".replace("[seed", "['ds://d', seed"),
            top="datasets: [{name: d, type: dvc, url: OTHER, path: d.csv}]\n",
        ),
        dataset,
    ),
}


@pytest.mark.parametrize("row", RIGHT)
def test_right_on_agents(make: MakeBuild, web: str, template: Path, tmp_path: Path, row: str) -> None:
    """The same lock entries as `dvc repro` makes in one workspace."""
    description, prepare = RIGHT[row]
    build = make(description.replace("WEB", web), **{"seed.txt": "1\n"})
    prepare(build.origin, web, template)
    sh(build.origin, "git", "add", "-A")
    sh(build.origin, "git", "commit", "-q", "--allow-empty", "-m", "more")
    assert Project.open(build.origin).problems() == []
    last = over_agents(build)
    whole = tmp_path / "whole"
    sh(tmp_path, "git", "clone", "-q", str(build.origin), str(whole))
    for source in whole.glob("*.csv.dvc"):
        dvc(whole, "pull", "-q", source.name)
    dvc(whole, "repro", "-q")
    assert lock_of(last) == lock_of(whole)
    remote = build.folder.parent / "remote" / "files"
    assert remote.exists() != (row in ("no outs", "not pushed, read by nobody"))


def test_persistent_and_frozen_go_on_from_the_lock_file(make: MakeBuild) -> None:
    one = "cmd: cat seed.txt >> one, deps: [seed.txt], outs: [{one: {persist: true}}]"
    build = make(text(one), **{"seed.txt": "1\n"})
    first = over_agents(build)
    write(build.origin, {"dvc.lock": (first / "dvc.lock").read_text(), "seed.txt": "2\n"})
    commit(build.origin)
    second = over_agents(make(again=True))
    assert (second / "two").read_text() == "1\n2\n"
    frozen = text(one.replace("{persist: true}", "{cache: true}") + ", frozen: true")
    describe(build.origin, frozen)
    write(build.origin, {"seed.txt": "3\n"})
    commit(build.origin)
    assert Project.open(build.origin).problems() == []
    third = over_agents(make(again=True))
    assert (third / "two").read_text() == "1\n"


def test_without_cache_and_frozen_it_is_what_git_has(make: MakeBuild) -> None:
    one = "cmd: cp seed.txt one, deps: [seed.txt], outs: [{one: {cache: false}}]"
    build = make(text(one), **{"seed.txt": "1\n"})
    first = over_agents(build)
    describe(build.origin, text(f"{one}, frozen: true"))
    write(build.origin, {"dvc.lock": (first / "dvc.lock").read_text(), "seed.txt": "2\n"})
    commit(build.origin)
    lacking = make(again=True).exec("one")
    assert lacking.code == 1
    assert "missing" in lacking.err
    write(build.origin, {"one": "1\n"})
    commit(build.origin)
    assert (over_agents(make(again=True)) / "two").read_text() == "1\n"


def test_data_that_is_nowhere_yet(make: MakeBuild) -> None:
    build = make(text("cmd: cp d.csv one, deps: [d.csv], outs: [one]"), **{"d.csv": "1\n", "seed.txt": "1\n"})
    sh(build.origin, "git", "rm", "-q", "--cached", "d.csv")
    dvc(build.origin, "add", "-q", "d.csv")
    commit(build.origin)
    done = build.exec("one")
    assert done.code == 6
    assert "has not the data of d.csv.dvc" in done.err
    assert "`dvc push d.csv.dvc` where it is" in done.err
    assert len(done.err.splitlines()) == 1


# ------------------------------------------------------------------------------------------------- refused at generate


def partial_import(origin: Path, web: str, template: Path) -> None:
    dvc(origin, "import-url", "-q", "--no-download", f"{web}/d.csv", "d.csv")


def versioned(origin: Path, web: str, template: Path) -> None:
    dvc(origin, "remote", "modify", "store", "version_aware", "true")


def other_remote(origin: Path, web: str, template: Path) -> None:
    dvc(origin, "remote", "add", "other", str(origin.parent / "other"))


REFUSED: dict[str, tuple[str, Prepare, str, str]] = {
    "output by address": (
        text("cmd: aws cp x, deps: [seed.txt], outs: [{'s3://b/x': {cache: false}}]"),
        no_more,
        "5:49: 'one' writes 's3://b/x', which all builds share",
        "write a file here",
    ),
    "not pushed": (
        text(f"cmd: cp seed.txt one, {COPY}".replace("[one]", "[{one: {push: false}}]")),
        no_more,
        "5:56: 'one' keeps 'one' to itself (`push: false`), and 'two' reads it",
        "put both into one `group:`",
    ),
    "another remote": (
        text(f"cmd: cp seed.txt one, {COPY}".replace("[one]", "[{one: {remote: other}}]")),
        other_remote,
        "5:56: 'one' keeps 'one' on the remote 'other'; agents have one, 'store'",
        "name that remote under `data`",
    ),
    "frozen without a result": (
        text(f"cmd: cp seed.txt one, {COPY}, frozen: true"),
        no_more,
        "'one' is frozen, and dvc.lock has no result of it to take",
        "commit dvc.lock",
    ),
    "import without data": (
        text("cmd: cp d.csv one, deps: [d.csv], outs: [one]"),
        partial_import,
        "5:35: 'one' reads 'd.csv', of which d.csv.dvc has only the address",
        "`dvc update d.csv.dvc`",
    ),
    "cloud versioned remote": (
        text(f"cmd: cp seed.txt one, {COPY}"),
        versioned,
        "the DVC remote 'store' is cloud versioned (`version_aware`)",
        "name a plain remote",
    ),
}


@pytest.mark.parametrize("row", REFUSED)
def test_refused_at_generate(make: MakeBuild, web: str, template: Path, row: str) -> None:
    description, prepare, message, hint = REFUSED[row]
    origin = make(description, **{"seed.txt": "1\n"}).origin
    prepare(origin, web, template)
    with pytest.raises(DescriptionError) as refused:
        Project.open(origin).generate()
    (problem,) = refused.value.problems
    assert problem.place.startswith(f"{origin / 'pipegen.yaml'}:")
    assert message in f"{problem.place}: {problem.message}"
    assert hint in problem.hint
    assert pipegen("validate", cwd=origin).code == 3
    assert Project.open(origin).generate(["dvc"]).changes, "this machine can all the same"
    without: Any = description.replace("stages:", "targets: {dvc: {}}\nstages:")
    write(origin, {"pipegen.yaml": without})
    assert Project.open(origin).problems() == [], "nor is there anything wrong where no server runs it"


def test_one_group_may_keep_things_to_itself(make: MakeBuild) -> None:
    one = f"cmd: cp seed.txt one, {COPY}, ci: {{group: g}}".replace("[one]", "[{one: {push: false}}]")
    build = make(text(one, TWO.replace("[two]}", "[two], ci: {group: g}}")), **{"seed.txt": "1\n"})
    assert Project.open(build.origin).problems() == []
    agent = build.agent()
    for stage in ("one", "two"):
        assert build.exec(stage, agent=agent).code == 0
