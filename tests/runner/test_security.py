"""What others write reaches no shell as code, secrets are seen by nobody, and strangers change nothing for others."""

from __future__ import annotations

import hashlib
import json
import shutil
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipegen.description.model import Input, Workflow
from pipegen.description.text import EnvName, Parameter
from pipegen.dvc.set_params import set_params
from pipegen.errors import PipegenError
from pipegen.plan.names import to_name
from pipegen.project import Project
from pipegen.runner.agent.masking import Masker
from pipegen.runner.processes import log_name
from pipegen.runner.values import Values, fix
from tests.runner.conftest import MakeBuild
from tests.support.agents import Build, Done, command
from tests.support.cli import pipegen
from tests.support.descriptions import HOSTILE
from tests.support.repositories import sh, write

# ------------------------------------------------------------------------------------------------- shells

SHELL = "$(touch hit); touch hit; `touch hit` | touch hit & '\"; touch hit #"
"""For a shell that read it, in any state of quotes, there would be a file `hit`."""
BRANCH = "x$(touch${IFS}hit);touch${IFS}hit;`touch${IFS}hit`|touch${IFS}hit'\"&touch${IFS}hit"
"""The same within what git allows in a branch's name."""
NAMES = """\
pipegen: 1
name: small
stages:
  read:
    foreach: {"%(shell)s": 1}
    do:
      cmd: "cp *hit* out.txt && test -n \\"$MESSAGE\\""
      deps: ["%(shell)s.txt"]
      params: ["%(shell)s"]
      outs: [out.txt]
      ci: {env: {MESSAGE: "%(shell)s"}, tests: ["test -s out.txt"]}
  next: {cmd: cp out.txt next.txt, deps: [out.txt], outs: [next.txt]}
workflows:
  push: {on: {push: {branches: [main]}}}
  try: {on: manual, inputs: {given: {sets: "word", default: x, description: "%(shell)s"}}}
"""


def test_names_and_messages_reach_no_shell(make: MakeBuild, tmp_path: Path) -> None:
    """Of stages, files, parameters, branches, commits, builds, agents and inputs."""
    shell = SHELL.replace("'", "").replace(
        "&", "+"
    )  # which the command's own pattern could not be written with
    text = NAMES % {"shell": shell.replace('"', '\\"')}
    files = {f"{shell}.txt": "1\n", "params.yaml": yaml.safe_dump({shell: 1, "word": "x"})}
    build = make(text, **files)
    sh(build.origin, "git", "checkout", "-q", "-b", BRANCH)
    sh(build.origin, "git", "commit", "-q", "--allow-empty", "-m", SHELL)
    base = sh(build.origin, "git", "rev-parse", "HEAD~").strip()
    env = {
        "BRANCH_NAME": BRANCH,
        "GIT_BRANCH": BRANCH,
        "CHANGE_TITLE": SHELL,
        "BUILD_URL": f"https://ci.example.com/{SHELL}",
        "NODE_NAME": SHELL,
        "PIPEGEN_WORKFLOWS": SHELL,
        "given": SHELL,
    }
    agents: list[Path] = []
    for stage in (f"read@{shell}", "next"):
        values = command_in(build, "values", "--workflow", "try", env=env)
        shutil.copy(values / ".pipegen/fragments/values.json", build.fragments)
        agent = build.agent()
        (agent / ".pipegen/fragments").mkdir(parents=True)
        shutil.copy(build.fragments / "values.json", agent / ".pipegen/fragments")
        done = build.exec(stage, agent=agent, env=env)
        assert done.code == 0, done.out + done.err
        assert yaml.safe_load((agent / "params.yaml").read_text())["word"] == SHELL
        agents += [values, agent]
    assert done.record["agent"] == SHELL
    write(build.origin, {f"{shell}.txt": "2\n"})
    sh(build.origin, "git", "commit", "-qam", SHELL)
    touched = pipegen("affected", "--base", base, cwd=build.origin)
    assert touched.out.splitlines() == [f"read@{shell}", "next"]
    for revision in (SHELL, f"--output=hit {SHELL}"):
        assert pipegen("affected", f"--base={revision}", cwd=build.origin).code == 5
    for folder in (tmp_path, *agents):
        assert not [path for path in folder.rglob("hit*") if path.is_file() and path.name != f"{shell}.txt"]


def command_in(build: Build, *arguments: str, env: dict[str, str]) -> Path:
    """A `pipegen` command on an agent of its own."""
    folder = build.agent()
    process = command(folder, *arguments, env=env)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return folder


@settings(max_examples=60)
@given(text=HOSTILE)
def test_what_a_person_gives_stays_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("values")
    workflow = Workflow(on="manual", inputs={EnvName("given"): Input(sets=Parameter("word"), default="x")})
    if any(
        (unicodedata.category(ch) in ("Cc", "Zl", "Zp") and ch not in "\n\t") or ch == "\ufeff"
        for ch in text.strip()
    ):
        with pytest.raises(PipegenError, match="characters that not every"):
            fix("try", workflow, {"given": text})
        return
    fixed = fix("try", workflow, {"given": text})
    fixed.write(folder / "values.json")
    values = Values.read(folder / "values.json")
    assert values
    write(folder, {"params.yaml": "# kept\nword: x  # too\nlast: 1\n"})
    set_params(folder, values.set)
    read = yaml.safe_load((folder / "params.yaml").read_text())
    assert read == {"word": text.strip() or "x", "last": 1}


@settings(max_examples=200)
@given(text=HOSTILE)
def test_names_of_files_are_names(text: str) -> None:
    for name in (to_name(text), log_name(text)):
        assert "/" not in name
        assert "\0" not in name


# ------------------------------------------------------------------------------------------------- secrets

SECRET = "p\"a\\s <s>&'wörd\nsecond-line$%"
"""Written otherwise in JSON, in XML and in addresses."""
TELLING = """\
pipegen: 1
name: small
repository: https://git.example.com/small.git
secrets: {store: {env: [TOKEN], jenkins: {id: store}, gocd: {config: vault, keys: [token]}}}
stages:
  one:
    cmd: python tell.py metrics.json
    deps: [tell.py]
    params: [word]
    metrics: [metrics.json]
    ci: {secrets: [store], tests: ["python -m pytest -q test_it.py", "echo $TOKEN; exit 1"]}
  two: {cmd: python tell.py two.json, deps: [tell.py], metrics: [two.json], ci: {secrets: [store]}}
workflows: {push: {on: {push: {branches: [main]}}}}
"""
FILES = {
    "tell.py": """\
import json, os, sys, urllib.parse
token = os.environ["TOKEN"]
print(token, flush=True)
print(urllib.parse.quote(token, safe=""), file=sys.stderr)
json.dump({"said": "ok", "token": token}, open(sys.argv[1], "w"))
""",
    "test_it.py": """\
import os, pytest
def test_bad(): pytest.fail(os.environ["TOKEN"])
""",
    "params.yaml": "word: x\n",
}


def test_a_secret_is_seen_nowhere(make: MakeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    """Printed, in a failed test, in a metric, in an input, in a message; where it is quoted, too."""
    monkeypatch.setenv("TOKEN", SECRET)
    build = make(TELLING, **FILES)
    agent = build.agent()
    values = {"values": 1, "workflow": "push", "at": "", "set": {"params.yaml:word": SECRET}}
    write(agent, {".pipegen/fragments/values.json": json.dumps(values)})
    env = {"TOKEN": SECRET, "BUILD_URL": f"https://x/{SECRET}"}
    done, two = build.exec("one", agent=agent, env=env), build.exec("two", env=env)
    assert done.code == 1, done.out
    assert done.record["tests"]["failures"] == 2
    assert two.record["metrics"] == {"two.json": {"said": "ok", "token": "****"}}
    seen = {"out": done.out + two.out, "err": done.err + two.err, **small_files(done), **small_files(two)}
    seen |= {change.path.name: change.new or "" for change in Project.open(build.origin).generate().changes}
    assert len(seen) > 9
    for where, text in seen.items():
        for word in ("second-line", "p%22a", 'p"a', "p\\", "wörd", "w\\u00f6rd", "p&quot;a", "<s>", "&lt;s"):
            assert word not in text, (where, word)
    assert '"state": "failed"' in seen["one.lock.json"]


def small_files(done: Done) -> dict[str, str]:
    """What an agent publishes: fragments, records, logs, reports; the values came from elsewhere."""
    found = [path for path in (done.agent / ".pipegen").rglob("*") if path.is_file()]
    return {path.name: path.read_text() for path in found if path.name != "values.json"}


def test_a_secret_does_not_travel(make: MakeBuild) -> None:
    """A fragment must hold the very bytes that were made, so there is nothing to mask: the stage is refused."""
    text = TELLING.replace("metrics: [metrics.json]", "outs: [{metrics.json: {cache: false}}]")
    build = make(
        text.replace(', "echo $TOKEN; exit 1"', "").replace('"python -m pytest -q test_it.py"', ""), **FILES
    )
    done = build.exec("one", env={"TOKEN": "planted-secret"})
    assert done.code == 1
    assert "metrics.json, which one made, holds the value of a secret" in done.err
    assert "planted-secret" not in "".join([done.out, done.err, *small_files(done).values()])
    remote = build.folder.parent / "remote"
    assert not [path for path in remote.rglob("*") if path.is_file() and b"planted" in path.read_bytes()]


@settings(max_examples=150)
@given(
    secret=HOSTILE.filter(lambda text: len(text) > 3 and "*" not in text),
    before=st.text(max_size=5),
    cuts=st.lists(st.integers(0, 40)),
)
def test_a_secret_is_masked_wherever_it_is_cut(secret: str, before: str, cuts: list[int]) -> None:
    masker = Masker([secret])
    text = f"{before}{secret} {secret}".encode(errors="replace")
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    shown = b"".join(masker.feed(text[i:j]) for i, j in pairwise(borders)) + masker.flush()
    assert secret.encode() not in shown
    masked: Any = Masker([secret]).data({secret: [secret, {"deep": f"\0{secret}\0"}]})
    assert masked == {"****": ["****", {"deep": "\0****\0"}]}


# ------------------------------------------------------------------------------------------------- strangers

SAME = """\
pipegen: 1
name: small
stages:
  one: {cmd: sh make.sh, deps: [seed.txt], outs: [one.txt]}
  two: {cmd: cp one.txt two.txt, deps: [one.txt], outs: [two.txt]}
workflows: {push: {on: {push: {branches: [main]}}}}
"""


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_a_stranger_changes_nothing_that_others_restore(
    make: MakeBuild, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """What it changes is no declared dependency: for DVC it is the same command on the same data. Agents share a
    cache, as those of one machine may."""
    build = make(SAME, **{"seed.txt": "1\n", "make.sh": "cp seed.txt one.txt\n"})
    config = build.origin / ".dvc" / "config"
    config.write_text(f"{config.read_text()}[cache]\n    dir = {tmp_path / 'shared-cache'}\n")
    sh(build.origin, "git", "commit", "-qam", "a shared cache")
    good = sh(build.origin, "git", "rev-parse", "HEAD").strip()
    sh(build.origin, "git", "checkout", "-q", "-b", "stranger")
    write(build.origin, {"make.sh": "echo poisoned > one.txt\n"})
    sh(build.origin, "git", "commit", "-qam", "harmless")
    stranger = {
        stage: build.exec(stage, *options, env={"CHANGE_FORK": "stranger"}) for stage in ("one", "two")
    }
    assert {done.outcome for done in stranger.values()} == {"ran"}
    assert (stranger["two"].agent / "two.txt").read_text() == "poisoned\n", "its own build is whole"
    for place in ("remote/runs", "remote/pipegen", "shared-cache/runs"):
        assert not (tmp_path / place).exists()
    sh(build.origin, "git", "checkout", "-q", good)
    done = make(again=True).run()
    assert done["one"].outcome == "ran"
    assert (done["two"].agent / "two.txt").read_text() == "1\n"


def test_a_stranger_writes_over_nothing(make: MakeBuild, tmp_path: Path) -> None:
    """Its `--force` sends what the remote lacks, and leaves what it has."""
    build = make(SAME, **{"seed.txt": "1\n", "make.sh": "cp seed.txt one.txt\n"})
    assert build.exec("one").code == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "remote").rglob("*") if path.is_file()}
    assert build.exec("one", "--force", env={"CHANGE_FORK": "stranger"}).outcome == "ran"
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "remote").rglob("*") if p.is_file()}


def test_a_listing_that_leaves_its_folder(make: MakeBuild, tmp_path: Path) -> None:
    """Whoever writes to the remote can put a listing there under its own hash, and name it in a lock file."""
    text = SAME.replace("sh make.sh", "mkdir one.txt; echo 1 > one.txt/a").replace(
        "cp one.txt", "cp one.txt/a"
    )
    build = make(text, **{"seed.txt": "1\n"})
    one = build.exec("one")
    listing = next(path for path in (tmp_path / "remote").rglob("*.dir"))
    forged = listing.read_text().replace('"a"', '"../../stolen"').encode()
    md5 = hashlib.md5(forged).hexdigest()
    place = tmp_path / "remote" / "files" / "md5" / md5[:2] / f"{md5[2:]}.dir"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(forged)
    fragment = build.fragments / one.fragment.name
    old = listing.parent.name + listing.name
    fragment.write_text(fragment.read_text().replace(old, f"{md5}.dir"))
    two = build.exec("two")
    assert two.code == 6
    assert "names files outside of its folder" in two.err
    assert not list(tmp_path.rglob("stolen"))
