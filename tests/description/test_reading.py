"""Each class of mistake is found at its place, with the word that was meant; all of a file at once, line by line."""

from __future__ import annotations

import pytest

from pipegen.description.load import examine, loads
from pipegen.description.model import On
from pipegen.description.stage_words import Foreach, Stage, StagesFrom
from pipegen.errors import DescriptionError, Problem

HEAD = "name: demo\nstages: {a: {cmd: x}}\n"


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(DescriptionError) as caught:
        loads(text)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("workflow: {}", "3:1", "'workflow' is not a key here", "did you mean 'workflows'?"),
        ("defaults: {agnet: linux}", "3:12", "'agnet' is not a key here", "did you mean 'agent'?"),
        ("defaults: {retry: often}", "3:19", "'often' stands where a whole number is expected", ""),
        ("defaults: {retry: true}", "3:19", "true stands where a whole number is expected", ""),
        ("defaults: {timeout: soon}", "3:21", "'soon' is not a duration", ""),
        ("defaults: {timeout: 31d}", "3:21", "'31d' is not between 1 second and 30 days", ""),
        ("defaults: {timeout: 30}", "3:21", "30 stands where a duration", "quote it"),
        (
            "defaults: [linux]",
            "3:11",
            "a list stands where a mapping is expected",
            "its keys: agent, timeout, retry",
        ),
        ("env: {A: true}", "3:10", "true stands where text or a whole number is expected", "quote it"),
        ("env: {A: 1.5}", "3:10", "1.5 stands where text or a whole number is expected", "quote it"),
        ("env: {1A: x}", "3:7", "'1A' is not an environment variable's name", ""),
        ("env: {1: x}", "3:7", "the key 1 is not text", "quote it"),
        ("env: {A: }", "3:10", "nothing stands where text or a whole number is expected", ""),
        ("data: {lock: keep}", "3:14", "'keep' is not known here", "valid here: artifact, commit"),
        ("data: {remote: {url: s3://x}}", "3:16", "the key 'name' is missing here", "Its name in DVC's"),
        ("lint: {no-set-r: false}", "3:8", "'no-set-r' is not known here", "did you mean 'no-set-e'?"),
        ("gates: {g: {metric: r2, min: 1}}", "3:21", "'r2' is not a metric: FILE:PATH", ""),
        ("gates: {g: {metric: 'a:b', max_increase: much}}", "3:42", "'much' is not a percentage", ""),
        ("mail: {server: mail.example.com, from: a@b.c}", "3:16", "is not a mail server", ""),
        ("forge: {type: git hub, url: 'https://x'}", "3:15", "'git hub' is not a name", ""),
        ("repository: nowhere", "3:13", "'nowhere' is not a git URL", ""),
        (
            "python: {requirements: [/etc/x]}",
            "3:25",
            "'/etc/x' is not a path relative to the description",
            "",
        ),
        ("workflows: {w: {on: push}}", "3:21", "'push' is not known here", ""),
        ("workflows: {w: {}}", "3:16", "the key 'on' is missing here", "What starts it."),
        ("workflows: {w: {on: {schedule: 0 6 * *}}}", "3:32", "has 4 fields where a schedule has five", ""),
        ("workflows: {w: {on: {schedule: 0 25 * * *}}}", "3:32", "25 is no hour: it goes from 0 to 23", ""),
        (
            "workflows: {w: {on: {schedule: 0 6 * * *, timezone: Paris}}}",
            "3:53",
            "'Paris' is not a time zone",
            "",
        ),
        ("workflows: {w: {on: {push: {branches: main}}}}", "3:39", "'main' stands where a list of", ""),
        ("workflows: {w: {on: {push: {branches: [a b]}}}}", "3:40", "'a b' is not a branch", ""),
        ("workflows: {'w w': {on: manual}}", "3:13", "'w w' is not a name", ""),
        ("pipegen: '1'", "3:10", "version '1' of the grammar is not known", "this pipegen knows version 1"),
        ("pipegen: 2", "3:10", "version 2 of the grammar is not known", "this pipegen knows version 1"),
    ],
)
def test_mistake_in_its_place(text: str, place: str, message: str, hint: str) -> None:
    [problem] = problems_of(HEAD + text + "\n")
    assert problem.place == f"pipegen.yaml:{place}"
    assert message in problem.message
    assert hint in problem.hint
    assert problem.source == text


@pytest.mark.parametrize(
    ("stage", "column", "message", "hint"),
    [
        ("{comand: x, cmd: y}", 14, "'comand' is not a key here", "did you mean 'cmd'?"),
        ("{cmd: x, agent: gpu}", 22, "'agent' is not a key here", "'agent' belongs under `ci:`"),
        (
            "{cmd: x, ci: {outs: [y]}}",
            27,
            "'outs' is not a key here",
            "a word of the stage itself, beside `ci:`",
        ),
        ("{deps: [x]}", 13, "the key 'cmd' is missing here", "The command"),
        ("{cmd: 3}", 19, "3 stands where text or a list of text is expected", "quote it"),
        ("{cmd: x, deps: y}", 28, "'y' stands where a list of text is expected", ""),
        ("{cmd: x, frozen: yes}", 30, "'yes' stands where true or false is expected", ""),
        ("{foreach: [1], cmd: x}", 28, "'cmd' is not a key here", "'cmd' belongs under `do:`"),
    ],
)
def test_mistake_in_a_stage(stage: str, column: int, message: str, hint: str) -> None:
    found = problems_of(f"name: demo\nstages: {{a: {stage}}}\n")
    [problem] = [p for p in found if (p.line, p.column) == (2, column)]
    assert message in problem.message
    assert hint in problem.hint


def test_all_mistakes_at_once_in_the_order_of_lines() -> None:
    text = "name: demo\nowner: 3\nworkflows:\n  w: {on: noon}\nstages:\n  a: {cmd: 4, outz: []}\nmail: {}\n"
    found = problems_of(text)
    assert [(p.line, p.column) for p in found] == [(2, 8), (4, 11), (6, 12), (6, 15), (7, 7), (7, 7)]


def test_message_shows_the_line_and_points_at_the_column() -> None:
    assert str(problems_of(HEAD + "defaults: {agnet: linux}\n")[0]).splitlines() == [
        "pipegen.yaml:3:12: 'agnet' is not a key here",
        "    defaults: {agnet: linux}",
        "               ^",
        "    did you mean 'agent'?",
    ]


@pytest.mark.parametrize(
    "name",
    ["a" * 300, "a.b", "-.-,", "a@b", ""],
)
def test_stage_names_that_dvc_refuses(name: str) -> None:
    [problem] = problems_of(f'name: demo\nstages:\n  "{name}": {{cmd: x}}\n')
    assert problem.line == 3
    assert "is not a stage name" in problem.message
    assert len(problem.message) < 200


def test_emoji_may_stand_in_a_stage_name_but_not_in_the_pipelines() -> None:
    assert list(loads('name: demo\nstages: {"🚀": {cmd: x}}\n').stages) == ["🚀"]
    [problem] = problems_of('name: "🚀"\nstages: {a: {cmd: x}}\n')
    assert "'🚀' is not a name" in problem.message


def test_words_of_yaml_1_1_are_text() -> None:
    pipeline = loads(
        "name: demo\nenv: {A: on, B: yes, C: 010}\nstages: {on: {cmd: off}}\nworkflows: {no: {on: manual}}\n"
    )
    assert pipeline.env == {"A": "on", "B": "yes", "C": 10}
    assert pipeline.workflows["no"].on == "manual"


def test_interpolation_stands_for_any_plain_value_of_a_stage() -> None:
    text = 'name: d\nstages: {a: {foreach: [1], do: {cmd: x, frozen: "${f}", ci: {retry: "${n}", timeout: "${t}"}}}}\n'
    stage = loads(text).stages["a"]  # type: ignore[index]
    assert isinstance(stage, Foreach)
    assert stage.do.ci is not None
    assert stage.do.ci.timeout == "${t}"
    [problem] = problems_of('name: d\nstages: {a: {cmd: x}}\nci: {a: {retry: "${n}"}}\n')
    assert "'${n}' stands where a whole number" in problem.message


def test_stages_from_files_and_a_stage_called_from() -> None:
    assert loads("name: d\nstages: {from: [dvc.yaml]}\n").stages == StagesFrom(from_=["dvc.yaml"])
    stages = loads("name: d\nstages: {from: {cmd: x}}\n").stages
    assert stages == {"from": Stage(cmd="x")}


def test_whole_numbers_serve_as_numbers() -> None:
    gate = loads(HEAD + "gates: {g: {metric: 'm.json:a', min: 1, max_increase: 2%}}\n").gates["g"]
    assert isinstance(gate.min, float)
    assert gate.max_increase.fraction == pytest.approx(0.02)  # type: ignore[union-attr]


def test_what_is_right_is_kept_for_the_checks_that_follow() -> None:
    examined = examine(HEAD + "agents: {linux: {jenkins: 3}}\nworkflows: {w: {on: noon}, v: {on: manual}}\n")
    assert len(examined.problems) == 2
    assert examined.pipeline is not None
    assert list(examined.pipeline.agents) == ["linux"]
    assert list(examined.pipeline.workflows) == ["v"]


@pytest.mark.parametrize(
    "text",
    [
        "agent: {gpu: {}}\n",
        "gates: {g: {min: 1}}\n",
        "workflows: {w: {on: noon, promote: {model: m, to: x}}}\n",
        "vars: 3\n",
    ],
)
def test_no_check_follows_where_a_name_may_be_lost(text: str) -> None:
    assert examine(HEAD + text).pipeline is None


def test_missing_required_keys_are_all_named() -> None:
    assert [p.message for p in problems_of("owner: me\n")] == [
        "the key 'name' is missing here",
        "the key 'stages' is missing here",
    ]


def test_trigger_is_read_by_its_form() -> None:
    workflows = loads(
        HEAD + "workflows: {a: {on: manual}, b: {on: pull_request}, c: {on: {schedule: H 6 * * 1-5}}}\n"
    ).workflows
    assert workflows["b"].on == "pull_request"
    assert workflows["c"].on == On(schedule="H 6 * * 1-5")  # type: ignore[arg-type]
