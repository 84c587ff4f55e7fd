# ruff: noqa: E501  (tables read better in one line)
"""The strict reader itself: it takes a right file, and refuses each of these wrong ones."""

from __future__ import annotations

import pytest

from tests.targets.gocd.reader import read_file
from tests.targets.gocd.shapes import Refused, single

RIGHT = """\
format_version: 10
common:
  install: &install
    - exec: {command: sh, arguments: [-c, "true"]}
pipelines:
  up:
    group: g
    lock_behavior: unlockWhenFinished
    timer: {spec: '0 0 6 ? * MON-FRI', only_on_changes: false}
    environment_variables: {A: '##1'}
    materials:
      code: {git: /srv/x.git, branch: main, includes: [a/**/*]}
    stages:
      - one:
          clean_workspace: true
          approval: manual
          jobs:
            j:
              resources: [linux]
              timeout: 5
              tasks:
                - *install
                - exec: {command: echo, arguments: [hi], working_directory: a, run_if: any}
              artifacts:
                - build: {source: out/f.json, destination: fragments}
                - test: {source: out/junit, destination: testoutput}
              tabs: {report: report/index.html}
      - two:
          approval: {type: manual, allow_only_on_success: true, roles: [leads]}
          jobs:
            k:
              elastic_profile_id: gpu
              timeout: 5
              tasks:
                - fetch: {stage: one, job: j, is_file: true, source: fragments/f.json, destination: in}
  down:
    group: g
    materials:
      code: {type: configrepo}
      up: {pipeline: up, stage: two}
    stages:
      - one:
          jobs:
            j:
              timeout: 5
              tasks:
                - fetch: {pipeline: up, stage: one, job: j, is_file: true, source: fragments/f.json, destination: in}
environments:
  lab: {pipelines: [up, down]}
"""

BROKEN = {
    "no version": ("format_version: 10\n", ""),
    "another version": ("format_version: 10", "format_version: 12"),
    "a top key": ("environments:", "enviroments:"),
    "a pipeline key": ("    group: g\n    lock", "    groop: g\n    lock"),
    "no group": ("    group: g\n    materials", "    materials"),
    "a pipeline name": ("  down:", "  down!:"),
    "a pipeline name with a leading dot": ("  down:", "  .down:"),
    "two pipelines but for case": ("  down:", "  UP:"),
    "a key twice": ("    group: g\n    lock", "    group: g\n    group: h\n    lock"),
    "a lock": ("unlockWhenFinished", "unlockLater"),
    "cron of five fields": ("0 0 6 ? * MON-FRI", "0 6 * * 1"),
    "both days": ("0 0 6 ? * MON-FRI", "0 0 6 1 * MON-FRI"),
    "a backward range": ("MON-FRI", "FRI-MON"),
    "a flag": ("only_on_changes: false", "only_on_changes: maybe"),
    "a single hash": ("'##1'", "'#1'"),
    "a parameter": ("'##1'", "'#{P}'"),
    "a variable's name": ("{A: '##1'}", "{A B: '##1'}"),
    "a list of variables": ("environment_variables: {A: '##1'}", "environment_variables: [A]"),
    "ignore and includes": ("includes: [a/**/*]", "includes: [a/**/*], ignore: [b]"),
    "no branch": (", branch: main", ""),
    "no url": ("git: /srv/x.git", "git: ''"),
    "a material key": ("branch: main", "brunch: main"),
    "no repository": ("      code: {type: configrepo}\n", ""),
    "an unknown type": ("type: configrepo", "type: scm"),
    "an unknown upstream": ("up: {pipeline: up, ", "up: {pipeline: ghost, "),
    "an unknown upstream stage": ("stage: two}", "stage: three}"),
    "a circle": ("      code: {git: /srv/x.git", "      down: {pipeline: down, stage: one}\n      code: {git: /srv/x.git"),
    "stages as a map": ("      - two:", "        two:"),
    "two stages but for case": ("      - two:", "      - ONE:"),
    "a stage's name": ("      - two:", "      - t o:"),
    "a stage key": ("clean_workspace", "clean_worksapce"),
    "an approval": ("approval: manual", "approval: maybe"),
    "an approval's key": ("roles: [leads]", "rolls: [leads]"),
    "nobody": ("roles: [leads]", "roles: []"),
    "no jobs": ("jobs:\n            k:", "jibs:\n            k:"),
    "a job's name": ("            k:", "            k/1:"),
    "a reserved name": ("            k:", "            k-runInstance-1:"),
    "a job key": ("resources: [linux]", "resource: [linux]"),
    "a resource": ("resources: [linux]", "resources: [linux!]"),
    "resources and a profile": ("elastic_profile_id: gpu", "elastic_profile_id: gpu\n              resources: [a]"),
    "a timeout": ("timeout: 5\n              tasks:\n                - *", "timeout: soon\n              tasks:\n                - *"),
    "no tasks": ("              tasks:\n                - *install\n", "              taks:\n                - *install\n"),
    "exec as text": ("exec: {command: echo, arguments: [hi], working_directory: a, run_if: any}", "exec: echo hi"),
    "an unknown task": ("exec: {command: echo", "execute: {command: echo"),
    "an exec key": ("arguments: [hi]", "args: [hi]"),
    "no command": ("command: echo, ", ""),
    "an empty command": ("command: echo", "command: ''"),
    "a single hash in an argument": ("[hi]", "['#hi']"),
    "a folder outside": ("working_directory: a", "working_directory: a/../../b"),
    "run_if": ("run_if: any", "run_if: always"),
    "a fetch of a later stage": ("stage: one, job: j, is_file: true, source: fragments/f.json, destination: in}\n  down", "stage: two, job: k, is_file: true, source: fragments/f.json, destination: in}\n  down"),
    "a fetch of an unknown job": ("pipeline: up, stage: one, job: j", "pipeline: up, stage: one, job: x"),
    "a fetch from no upstream": ("fetch: {pipeline: up,", "fetch: {pipeline: down/up,"),
    "a fetch of what nobody published": ("pipeline: up, stage: one, job: j, is_file: true, source: fragments/f.json", "pipeline: up, stage: one, job: j, is_file: true, source: f.json"),
    "a fetch of a path with dots": ("source: fragments/f.json, destination: in}\nenv", "source: .fragments/f.json, destination: in}\nenv"),
    "a fetch key": ("fetch: {pipeline: up,", "fetch: {pipe: up,"),
    "an artifact type": ("- test:", "- zip:"),
    "an artifact key": ("source: out/junit", "src: out/junit"),
    "an artifact outside": ("source: out/junit", "source: ../junit"),
    "an artifact's destination": ("destination: testoutput", "destination: ' x'"),
    "a tab's name": ("tabs: {report:", "tabs: {a long name of a tab:"),
    "an unknown pipeline of an environment": ("[up, down]", "[up, ghost]"),
    "a pipeline twice in an environment": ("[up, down]", "[up, up]"),
    "an environment's key": ("lab: {pipelines:", "lab: {pipes:"),
    "no YAML": ("pipelines:\n  up", "pipelines: [\n  up"),
}  # fmt: skip


def test_the_right_file_is_read() -> None:
    up, down = read_file(RIGHT)
    assert up["pipeline"]["stages"][0]["jobs"][0]["tasks"][0]["attributes"]["command"] == "sh"
    assert down["pipeline"]["materials"][1]["attributes"]["pipeline"] == "up"


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused(what: str) -> None:
    old, new = BROKEN[what]
    assert RIGHT.count(old) >= 1
    with pytest.raises(Refused):
        read_file(RIGHT.replace(old, new, 1))


@pytest.mark.parametrize(("text", "meant"), [("a", "a"), ("##", "#"), ("####", "##"), ("a##{P}", "a#{P}")])
def test_hashes(text: str, meant: str) -> None:
    assert single(text) == meant


@pytest.mark.parametrize("text", ["#", "a#b", "###", "#{P}", "###{P}"])
def test_single_hashes(text: str) -> None:
    with pytest.raises(Refused):
        single(text)
