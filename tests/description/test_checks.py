"""Every name leads somewhere, and the parts of a description fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipegen.description.checks import check
from pipegen.description.load import load, loads
from pipegen.description.stages import resolve
from pipegen.errors import DescriptionError, Problem

SAMPLE = Path(__file__).parent / "samples" / "design.yaml"
BASE = """\
name: demo
agents: {linux: {jenkins: {label: linux}}}
secrets:
  s3: {env: [KEY_ID, KEY]}
  other: {env: [KEY]}
people: {leads: {jenkins: [leads]}}
models: {house-price: {path: best.pkl}}
gates: {good: {metric: "m.json:r2", min: 0.5}}
stages:
  train: {cmd: x, deps: [d], outs: [best.pkl], metrics: [m.json]}
  each: {foreach: [a, b], do: {cmd: "y ${item}", outs: ["o/${item}"]}}
"""
MAIL = 'mail: {server: "smtp://localhost", from: a@b.c}\n'
FORGE = 'forge: {type: github, url: "https://github.com"}\n'


def checked(text: str, folder: Path = Path()) -> list[Problem]:
    pipeline = loads(text)
    return check(pipeline, resolve(pipeline, folder), folder)


def test_what_is_right_has_no_problems() -> None:
    workflows = """\
workflows:
  push: {on: {push: {branches: [main]}}, gates: [good], servers: [jenkins]}
  review: {on: pull_request, gates: all, comment: metrics}
  nightly:
    on: {schedule: "0 6 * * *", timezone: UTC}
    branch: main
    set: {month: "{date:%Y-%m}"}
    inputs: {alpha: {sets: "conf.yaml:alpha", default: 1, choices: [1, 2]}}
    stages: [train, "each@*", each@a]
    report: {mail: [a@b.c]}
    promote: {model: house-price, to: staging}
  release: {on: manual, promote: {model: house-price, from: staging, to: production}, approve: {by: leads}}
"""
    assert checked(BASE + MAIL + FORGE + workflows) == []


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("defaults: {agent: linus}", "12:19", "the agent 'linus' is not defined", "did you mean 'linux'?"),
        (
            "environments: {p: {deploy: x, agent: gpu}}",
            "12:38",
            "the agent 'gpu' is not defined",
            "valid here: linux",
        ),
        ("ci: {train: {agent: linx}}", "12:21", "the agent 'linx' is not defined", "did you mean 'linux'?"),
        ("ci: {trian: {agent: linux}}", "12:6", "no stage has the address 'trian'", "did you mean 'train'?"),
        (
            "ci: {'each@*': {after: [tain]}}",
            "12:25",
            "no stage has the address 'tain'",
            "did you mean 'train'?",
        ),
        ("ci: {train: {secrets: [s4]}}", "12:24", "the secret 's4' is not defined", "valid here: s3, other"),
        (
            "ci: {train: {secrets: [s3, other]}}",
            "12:23",
            "'KEY' comes from the secret 's3' and from the secret 'other'",
            "",
        ),
        (
            "ci: {train: {secrets: [s3], env: {KEY: a}}}",
            "12:23",
            "'KEY' comes from the secret 's3' and from `env`",
            "",
        ),
        (
            "data: {remote: {name: r, secrets: [s4]}}",
            "12:36",
            "the secret 's4' is not defined",
            "valid here: s3, other",
        ),
        (
            "environments: {p: {deploy: x, secrets: [nope]}}",
            "12:41",
            "the secret 'nope' is not defined",
            "valid here",
        ),
        (
            "tracking: {url: 'https://x', secrets: [s5]}",
            "12:40",
            "the secret 's5' is not defined",
            "valid here: s3, other",
        ),
        (
            "ci: {train: {group: g, agent: linux}, 'each@a': {group: g}}",
            "12:57",
            "share the group 'g' but not their agent",
            "",
        ),
        ("plain: [env.A]", "12:9", "'env.A' leads to no text in the description", ""),
    ],
)
def test_names(text: str, place: str, message: str, hint: str) -> None:
    [problem] = problems_of(BASE + text + "\n")
    assert problem.place == f"pipegen.yaml:{place}"
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("workflow", "where", "message", "hint"),
    [
        ("{on: {}}", "{}", "exactly one of `push` and `schedule`", ""),
        (
            "{on: {push: {branches: [m]}, schedule: 0 6 * * *}}",
            "{push",
            "exactly one of `push` and `schedule`",
            "",
        ),
        ("{on: {push: {branches: [m]}, timezone: UTC}}", "UTC", "a time zone goes with `schedule`", ""),
        ("{on: {push: {branches: []}}}", "[]", "no branch starts this workflow", ""),
        (
            "{on: {push: {branches: [m]}}, branch: main}",
            "main}",
            "names its branches itself",
            "remove `branch`",
        ),
        ("{on: pull_request, branch: main}", "main}", "names its branches itself", "remove `branch`"),
        ("{on: manual, branch: 'f/*'}", "'f/*'", "stands for several branches", ""),
        (
            "{on: manual, affected: true}",
            "true",
            "a workflow that no commit starts has no change to look at",
            "it goes with `on: push` and `on: pull_request`",
        ),
        (
            "{on: pull_request, set: {a: 1}}",
            "{a",
            "`set` is for workflows that start by hand or by schedule",
            "",
        ),
        (
            "{on: manual, set: {a: 1, 'params.yaml:a': 2}}",
            "2}",
            "'params.yaml:a' is set twice: by set.a too",
            "",
        ),
        (
            "{on: manual, set: {a: 1}, inputs: {b: {sets: a, default: 1}}}",
            "a, def",
            "'a' is set twice: by set.a",
            "",
        ),
        (
            "{on: manual, inputs: {b: {sets: a, default: 1, choices: [2]}}}",
            "1, ch",
            "1 is none of the choices",
            "",
        ),
        ("{on: manual, gates: [goood]}", "goood", "the gate 'goood' is not defined", "did you mean 'good'?"),
        (
            "{on: manual, servers: [gocdd]}",
            "gocdd",
            "the target 'gocdd' is not defined",
            "did you mean 'gocd'?",
        ),
        (
            "{on: manual, stages: [trian]}",
            "trian",
            "no stage has the address 'trian'",
            "did you mean 'train'?",
        ),
        ("{on: manual, approve: {by: leads}}", "{by", "there is nothing to approve", "goes with `promote`"),
        ("{on: manual, report: {mail: [a@b.c]}}", "[a@b.c]", "needs a mail server", "`mail:`"),
        ("{on: manual, comment: metrics}", "metrics", "only a pull request can be commented", ""),
        (
            "{on: pull_request, comment: metrics}",
            "metrics",
            "needs the place where pull requests live",
            "`forge:`",
        ),
        (
            "{on: manual, promote: {model: house, to: p}}",
            "house",
            "the model 'house' is not defined",
            "'house-price'",
        ),
        ("{on: manual, promote: {model: house-price, from: p, to: p}}", "p}", "has the name 'p' already", ""),
        (
            "{on: manual, promote: {model: house-price, from: q, to: p}}",
            "q,",
            "no workflow gives a version",
            "",
        ),
        (
            "{on: manual, promote: {model: house-price, to: p}, approve: {by: lead}}",
            "lead}",
            "the group of people 'lead' is not defined",
            "did you mean 'leads'?",
        ),
    ],
)
def test_workflows(workflow: str, where: str, message: str, hint: str) -> None:
    line = f"workflows: {{w: {workflow}}}"
    found = [problem for problem in problems_of(f"{BASE}{line}\n") if message in problem.message]
    assert [problem.place for problem in found] == [f"pipegen.yaml:12:{line.index(where) + 1}"]
    assert hint in found[0].hint


def test_a_workflow_that_moves_a_version_runs_no_stage() -> None:
    text = "workflows:\n  a: {on: manual, promote: {model: house-price, to: s}}\n"
    text += "  b: {on: manual, stages: [train], set: {x: 1}, promote: {model: house-price, from: s, to: p}}\n"
    assert [p.message for p in problems_of(BASE + text)] == [
        "a workflow with `promote: {from: …}` runs no stage that could read it",
        "a workflow with `promote: {from: …}` runs no stage",
    ]


def test_workflows_that_differ_in_case_only() -> None:
    [problem] = problems_of(BASE + "workflows: {nightly: {on: manual}, Nightly: {on: manual}}\n")
    assert problem.message == "'Nightly' and 'nightly' differ in case only"
    assert "GoCD" in problem.hint
    assert problem.column == 36


@pytest.mark.parametrize(
    ("gate", "word", "message"),
    [
        ('{metric: "m.json:r2"}', "", "the gate has no condition"),
        ('{metric: "m.json:r2", max_increase: 2%}', "max_increase", "needs something to compare with"),
        ('{metric: "m.json:r2", min: 1, against: last}', "against", "'against' needs a condition"),
        ('{metric: "m.json:r2", max_gap: 0.1}', "max_gap", "needs a second metric"),
        ('{metric: "m.json:r2", min: 1, compare: "t.json:r2"}', "compare", "'compare' needs a condition"),
        ('{metric: "m.json:r2", max_gap: 1, compare: "m.json:r2"}', "compare", "is no second metric"),
        ('{metric: "m.json:r2", max_spread: 25%}', "max_spread", "the metric has no `*`"),
        ('{metric: "m.json:r2", worst_min: 1}', "worst_min", "the metric has no `*`"),
        ('{metric: "m.json:*.r2", min: 1}', "min", "'min' is about one value"),
        ('{metric: "m.json:r2", min: 2, max: 1}', "min", "no value meets both"),
    ],
)
def test_gates(gate: str, word: str, message: str) -> None:
    line = f"gates: {{g: {gate}}}"
    [problem] = problems_of(BASE.replace('gates: {good: {metric: "m.json:r2", min: 0.5}}', line))
    assert message in problem.message
    assert (problem.line, problem.column) == (8, line.index(word) + 1 if word else 9)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ("a: {cmd: x, outs: [o]}\n  b: {cmd: y, outs: [o]}", "'b': 'a' writes 'o' too"),
        ("a: {cmd: x, outs: [o]}\n  b: {cmd: y, metrics: [./o]}", "'b': 'a' writes 'o' too"),
        ("a: {cmd: x, outs: [o]}\n  b: {cmd: y, outs: [o/p]}", "'b': 'o/p' lies in 'o', which 'a' writes"),
        ("a: {cmd: x, outs: [o/p]}\n  b: {cmd: y, outs: [o]}", "'b': in 'o' lies 'o/p', which 'a' writes"),
        ("a: {cmd: x, outs: [o, p, o]}", "'a': the same stage writes 'o' too"),
        ("a: {cmd: x, outs: [/tmp/o]}", "'a' writes '/tmp/o', outside the repository"),
        ("a: {cmd: x, wdir: sub, outs: [../../o]}", "'a' writes '../o', outside the repository"),
    ],
)
def test_outputs(stages: str, message: str) -> None:
    [problem] = problems_of(f"name: d\nstages:\n  {stages}\n")
    assert problem.message == message
    assert problem.source[problem.column - 1 :].strip(" ,]}").startswith(("o", "./o", "/tmp/o", "../../o"))


def test_names_that_begin_alike_do_not_overlap() -> None:
    assert checked("name: d\nstages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: y, outs: [o.txt, ob/c]}\n") == []


def test_an_output_may_leave_the_folder_but_not_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "sub"
    folder.mkdir()
    assert checked("name: d\nstages: {a: {cmd: x, outs: [../o]}}\n", folder) == []
    [problem] = checked("name: d\nstages: {a: {cmd: x, outs: [../../o]}}\n", folder)
    assert "outside the repository" in problem.message


def test_a_forge_is_one_that_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = checked(BASE + FORGE.replace("github,", "gitlob,"))
    assert (problem.message, problem.hint) == ("no forge 'gitlob' is installed", "did you mean 'gitlab'?")
    assert problem.place.endswith(":15")
    (tmp_path / "own-1.dist-info").mkdir()
    (tmp_path / "own-1.dist-info" / "entry_points.txt").write_text("[pipegen.forges]\ngitea = own:Gitea\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert checked(BASE + FORGE.replace("github,", "gitea,")) == []


def test_an_unknown_server_word() -> None:
    [problem] = problems_of("name: d\nagents: {linux: {jenkns: {label: x}}}\nstages: {a: {cmd: x}}\n")
    assert problem.message == "'jenkns' is neither a key here nor one of `targets`"
    assert problem.hint == "did you mean 'jenkins'?"
    assert problem.column == 18


def test_no_agents_at_all() -> None:
    [problem] = problems_of("name: d\nstages: {a: {cmd: x, ci: {agent: gpu}}}\n")
    assert (problem.line, problem.column) == (2, 34)
    assert problem.hint == "`agents:` defines none"


def test_an_agent_that_interpolation_chose() -> None:
    text = 'name: d\nagents: {a: {}}\nstages:\n  t: {foreach: [a, b], do: {cmd: x, ci: {agent: "${item}"}}}\n'
    [problem] = problems_of(text)
    assert problem.message == "the agent 'b' is not defined"
    assert problem.place == "pipegen.yaml:4:49"


def test_a_model_that_no_stage_writes() -> None:
    text = "name: d\nmodels: {m: {path: models/bst.pkl}}\nstages: {a: {cmd: x, outs: [models/best.pkl]}}\n"
    [problem] = problems_of(text)
    assert problem.message == "no stage writes 'models/bst.pkl'"
    assert problem.hint == "did you mean 'models/best.pkl'?"


def test_a_model_inside_an_output_is_fine() -> None:
    assert (
        checked("name: d\nmodels: {m: {path: models/best.pkl}}\nstages: {a: {cmd: x, outs: [models]}}\n")
        == []
    )


def test_problems_in_dvc_files_point_into_those(tmp_path: Path) -> None:
    (tmp_path / "prep").mkdir()
    content = (
        "stages:\n  clean:\n    cmd: x\n    outs: [o]\n    meta: {pipegen: {agent: gpu, after: [nothing]}}\n"
    )
    (tmp_path / "prep" / "dvc.yaml").write_text(content)
    found = checked("name: d\nagents: {linux: {}}\nstages: {from: ['*/dvc.yaml']}\n", tmp_path)
    assert [p.place for p in found] == ["prep/dvc.yaml:5:29", "prep/dvc.yaml:5:42"]


def test_files_without_a_stage(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("# nothing yet\n")
    [problem] = checked("name: d\nstages: {from: [dvc.yaml]}\n", tmp_path)
    assert problem.message == "there is no stage"


def test_the_design_sample_lacks_only_what_it_leaves_out(tmp_path: Path) -> None:
    pipeline = load(SAMPLE)
    assert [p.message for p in check(pipeline, resolve(pipeline, tmp_path), tmp_path)] == [
        "no stage writes 'models/best.pkl'"
    ]


def problems_of(text: str) -> list[Problem]:
    """What reading, expansion or the checks say."""
    try:
        return checked(text)
    except DescriptionError as error:
        return error.problems
