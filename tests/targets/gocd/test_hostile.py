# ruff: noqa: E501  (tables read better in one line)
"""Whatever text stands in a plan reaches the server as that text, and nothing else of the file changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipegen.errors import PlanError
from pipegen.plan.model import Job, Plan, Step
from pipegen.targets.gocd import GoCD
from pipegen.targets.gocd.yaml import words as scalar
from tests.targets.gocd.making import Planned, definitions, description, request
from tests.targets.gocd.reader import read_file
from tests.targets.gocd.shapes import JSON, single

NASTY = (
    "#", "##", "#{P}", "###", "${COUNT}", "{{SECRET:[a][b]}}", "{{.ID}}", "'", '"', "''", "'''", "\\", "\\n", "\n", "\n\n", " \n", "\t", "\r\n",
    "- a", "a: b", "a #b", "&x", "*x", "!!str x", "|", ">", "%", "@", "`", "{", "}", "[", "]", ",", "? x", "---", "...", "yes", "no", "on", "y",
    "null", "~", "true", "1", "1.5", "1e3", "0x1F", "0o7", "1:30", "2027-01-01", "", " ", "  x", "x  ", "\u00fc", "\u4f60", "\U0001f600",
    "\x85", "\u2028", "\ufeff", "\x7f", "*/", "//", "${x}", "{% x %}", "{{ x }}", "{# x #}", "<<", "=", ".", "..", "-", "--x",
)  # fmt: skip
VALID = st.characters(
    exclude_categories=("Cs", "Cc"), include_characters="\t\n\r\x7f\x85", exclude_characters="\ufffe\uffff"
)
hostile = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(NASTY), max_size=4).map("".join),
    st.text(VALID, max_size=30),
)
word = hostile.filter(
    lambda text: (
        text.strip() == text and text and "\n" not in text and "\r" not in text and text.isprintable()
    )
)
name = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planned(data: dict[str, Any], change: Any) -> Planned:
    """A request whose plan was changed, its jobs last."""
    base = request(data)
    return Planned(base.pipeline, base.stages, ".", given=change(base.plan("push")))


def read_both(asked: Planned) -> list[JSON]:
    """The file, read; it says the same as what goes to the API, to readers of YAML 1.1 too."""
    (file,) = GoCD().files(asked).files
    entries = read_file(file.text)
    assert entries == definitions(asked)
    assert yaml.safe_load(file.text) is not None
    return entries


def jobs_of(entries: list[JSON]) -> list[JSON]:
    return [job for entry in entries for stage in entry["pipeline"]["stages"] for job in stage["jobs"]]


def with_jobs(plan: Plan, change: Any) -> Plan:
    return replace(plan, jobs=tuple(change(job) for job in plan.jobs))


@quick
@given(st.lists(hostile, max_size=4), word)
def test_commands(arguments: list[str], command: str) -> None:
    def change(job: Job) -> Job:
        return replace(job, steps=(Step(name="x", command=(command, *arguments)), *job.steps))

    for job in jobs_of(read_both(planned(description(), lambda plan: with_jobs(plan, change)))):
        attributes = next(task["attributes"] for task in job["tasks"] if task["type"] == "exec")
        assert [single(attributes["command"]), *map(single, attributes["arguments"])] == [command, *arguments]


@quick
@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), hostile, max_size=4))
def test_variables(env: dict[str, str]) -> None:
    entries = read_both(
        planned(description(), lambda plan: with_jobs(plan, lambda job: replace(job, env=env)))
    )
    found = {v["name"]: single(v["value"]) for v in entries[0]["pipeline"]["environment_variables"]}
    assert {key: value for key, value in found.items() if not key.startswith("PIPEGEN_")} == env


@pytest.mark.parametrize("text", ["\x00", "a\x1b[0m", "\ufffe"])
def test_what_xml_cannot_hold_is_refused(text: str) -> None:
    asked = planned(description(), lambda plan: with_jobs(plan, lambda job: replace(job, env={"A": text})))
    with pytest.raises(PlanError, match="control character"):
        GoCD().files(asked)


@quick
@given(hostile.filter(str.strip))
def test_install(install: str) -> None:
    for job in jobs_of(read_both(planned(description(), lambda plan: replace(plan, install=install)))):
        script = next(task["attributes"]["arguments"][1] for task in job["tasks"] if task["type"] == "exec")
        assert single(script).endswith(f"activate\n{install.strip()}\n")


@quick
@given(word.filter(lambda text: not set(text) & set(" *~^:?[\\")), word.filter(lambda text: " " not in text))
def test_branch_and_repository(branch: str, path: str) -> None:
    def change(plan: Plan) -> Plan:
        return replace(plan, triggers={"push": replace(plan.triggers["push"], branches=(branch,))})

    url = f"https://git.example.com/{path}"
    (entry,) = read_both(planned(description(repository=url), change))
    attributes = entry["pipeline"]["materials"][0]["attributes"]
    assert (single(attributes["branch"]), single(attributes["url"])) == (branch, url)


@quick
@given(name)
def test_stage_addresses(item: str) -> None:
    """Any name that a stage may have gives a job that GoCD takes, and the command names the stage as it is."""
    from pipegen.plan.names import to_name

    address = f"train@{item}"

    def change(plan: Plan) -> Plan:
        job = replace(
            plan.jobs[0],
            name=address,
            steps=(Step(name=address, command=("pipegen", "exec", address), stage=address),),
        )
        return replace(plan, jobs=(job,))

    (job,) = jobs_of(read_both(planned(description(), change)))
    assert job["name"] == to_name(address)
    assert single(job["tasks"][0]["attributes"]["arguments"][-1]) == address


@quick
@given(st.lists(st.text(VALID, min_size=1, max_size=12).filter(str.isprintable), min_size=1, max_size=3))
def test_people(roles: list[str]) -> None:
    data = description(
        models={"m": {"path": "c.txt"}},
        people={"leads": {"gocd": {"roles": roles}}},
        workflows={
            "push": {
                "on": "manual",
                "promote": {"model": "m", "from": "a", "to": "b"},
                "approve": {"by": "leads"},
            }
        },
    )
    (entry,) = read_both(planned(data, lambda plan: plan))
    assert entry["pipeline"]["stages"][-1]["approval"]["authorization"]["roles"] == roles


@settings(max_examples=500, deadline=None)
@given(hostile)
def test_scalar(text: str) -> None:
    """In a list, in a mapping and alone, for old and new readers of YAML."""
    for written in (f"[{scalar(text)}, x]", f"{{a: {scalar(text)}, b: x}}", f"a: {scalar(text)}"):
        value = yaml.safe_load(written)
        assert (value[0] if isinstance(value, list) else value["a"]) == text


def test_nasty_scalars() -> None:
    for text in NASTY:
        assert yaml.safe_load(f"{{a: {scalar(text)}}}") == {"a": text}
