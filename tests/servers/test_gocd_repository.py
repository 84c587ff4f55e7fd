"""Deploying to GoCD by a config repository: rules, preflight, the update, and what is wrong in it."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

import pytest

from pipegen.errors import AccessRefused, EditedOnServer, ServerError
from pipegen.plan.deployment import Deployment
from pipegen.servers.gocd import repository
from pipegen.servers.model import Change
from tests.servers.exchanges import Exchange, gocd, skip_without_recordings
from tests.servers.gocd_client import client, deployment, pipeline
from tests.servers.replay import Faults, Script, any_order, serving

skip_without_recordings()

JSON = dict[str, Any]
URL = "/srv/repos/pac.git"
LISTED = gocd(484)
EMPTY = gocd(437)
INTERNAL = gocd(453)


def yaml_build() -> JSON:
    """The pipeline as a description would have it that the server shows as recorded in 455."""
    found = copy.deepcopy(gocd(455).json())
    return {key: each for key, each in found.items() if key not in ("_links", "origin", "group")}


def wanted(*bodies: JSON, **options: str) -> Deployment:
    found = deployment(
        *(bodies or (yaml_build(),)),
        name="pac",
        options={"material": "configrepo", **options},
        files={"pac.gocd.yaml": "format_version: 10\n"},
    )
    changed = [
        dataclasses.replace(d, text=json.dumps({**json.loads(d.text), "group": "pac"}))
        for d in found.definitions
    ]
    return dataclasses.replace(found, origin=f"{URL}#.", folder="pac", definitions=tuple(changed))


def listed(**changes: Any) -> Exchange:
    (there,) = LISTED.json()["_embedded"]["config_repos"]
    return LISTED.answered(200, {"_embedded": {"config_repos": [{**there, **changes}]}})


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "PAUSE", 0.02)


def only(script: Script, deployed: Deployment, faults: Faults | None = None) -> list[Change]:
    with serving(script, faults) as server:
        return list(client(server).compare(deployed))


def test_a_repository_that_is_not_there_is_made_with_the_rules_that_it_needs() -> None:
    absent = gocd(67).asked(target="/go/api/admin/pipelines/yaml-build")
    made = gocd(438).asked(body={**gocd(438).body, "rules": gocd(438).body["rules"][:1]})
    with serving(Script(EMPTY, absent, EMPTY, made)) as server:
        pac = client(server)
        create, read = pac.compare(wanted())
        assert (create.kind, create.what, create.name) == ("create", "config repository", "pac")
        assert "+  resource: pac\n" in create.difference
        assert (read.kind, read.name) == ("create", "yaml-build")
        pac.apply(create)


def test_an_environment_needs_a_rule_too() -> None:
    absent = gocd(67).asked(target="/go/api/admin/pipelines/yaml-build")
    create = only(Script(EMPTY, absent), wanted(environment="prod"))[0]
    assert "+- type: environment\n" in create.difference
    assert "+  resource: prod\n" in create.difference


def test_nothing_to_do() -> None:
    assert [change.kind for change in only(Script(LISTED, gocd(455)), wanted())] == ["unchanged", "unchanged"]


def test_a_missing_rule_is_added_and_nothing_else_is_touched() -> None:
    rules = [{"directive": "allow", "action": "refer", "type": "pipeline_group", "resource": "other"}]
    there = gocd(445).answered(200, {**gocd(445).json(), "rules": rules})
    whole = {**gocd(482).body, "configuration": [], "rules": [*rules, gocd(438).body["rules"][0]]}
    put = gocd(482).asked(body=whole)
    script = Script(listed(rules=rules, configuration=[]), gocd(455), there, put)
    with serving(script) as server:
        pac = client(server)
        update, _ = pac.compare(wanted())
        assert (update.kind, update.what) == ("update", "config repository")
        pac.apply(update)


def test_an_edit_while_we_look_is_not_overwritten() -> None:
    edited = gocd(445).answered(200, {**gocd(445).json(), "plugin_id": "json.config.plugin"})
    script = Script(listed(rules=[], configuration=[]), gocd(455), edited)
    with serving(script) as server:
        pac = client(server)
        update, _ = pac.compare(wanted())
        with pytest.raises(EditedOnServer, match="somebody changed the config repository 'pac' meanwhile"):
            pac.apply(update)


def test_a_stale_etag_is_looked_at_again() -> None:
    there = gocd(445).answered(200, {**gocd(445).json(), "rules": []})
    whole = {**gocd(482).body, "configuration": [], "rules": gocd(438).body["rules"][:1]}
    stale = dataclasses.replace(gocd(482).asked(body=whole), answer=gocd(481).answer)
    script = Script(
        listed(rules=[], configuration=[]), gocd(455), there, stale, there, gocd(482).asked(body=whole)
    )
    with serving(script) as server:
        pac = client(server)
        pac.apply(pac.compare(wanted())[0])


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [
        (439, ServerError, "ConfigRepo ids should be unique"),
        (440, ServerError, "You have defined multiple configuration repositories with the same repository"),
        (441, ServerError, "Invalid plugin id: ghost"),
        (443, ServerError, "Invalid type, must be one of"),
        (444, AccessRefused, "User 'viewer' does not have permissions to administer 'pac5' config_repo"),
    ],
)
def test_a_repository_that_is_refused(number: int, error: type[Exception], said: str) -> None:
    absent = gocd(67).asked(target="/go/api/admin/pipelines/yaml-build")
    refused = dataclasses.replace(gocd(438).any_body(), answer=gocd(number).answer)
    with serving(Script(EMPTY, absent, EMPTY, refused)) as server:
        pac = client(server)
        create, _ = pac.compare(wanted())
        with pytest.raises(error, match=said):
            pac.apply(create)


def test_a_lost_answer_to_its_creation_is_looked_up() -> None:
    absent = gocd(67).asked(target="/go/api/admin/pipelines/yaml-build")
    faults = Faults(drop=1.0, methods=("POST",), at_most=1)
    with serving(
        Script(EMPTY, absent, EMPTY, gocd(438).any_body(), listed(configuration=[]), gocd(445)), faults
    ) as server:
        pac = client(server)
        pac.apply(pac.compare(wanted())[0])


def test_one_that_another_description_made_meanwhile_gets_our_rules() -> None:
    """GoCD takes a repository once [R 440], and `deploy --all` brings all its descriptions at the same time."""
    absent = gocd(67).asked(target="/go/api/admin/pipelines/yaml-build")
    theirs = [{"directive": "allow", "action": "refer", "type": "pipeline_group", "resource": "other"}]
    listed_now = listed(id="other", rules=theirs, configuration=[])
    there = gocd(445).asked(target="/go/api/admin/config_repos/other")
    there = there.answered(200, {**gocd(445).json(), "id": "other", "rules": theirs})
    whole = {
        **gocd(482).body,
        "id": "other",
        "configuration": [],
        "rules": [*theirs, gocd(438).body["rules"][0]],
    }
    put = gocd(482).asked(target="/go/api/admin/config_repos/other", body=whole)
    with serving(Script(EMPTY, absent, listed_now, there, put)) as server:
        pac = client(server)
        pac.apply(pac.compare(wanted())[0])


# ------------------------------------------------------------------------------------------ reading it


def older() -> Exchange:
    return gocd(455).answered(200, {**gocd(455).json(), "label_template": "old-${COUNT}"})


def test_what_differs_is_read_anew_and_awaited() -> None:
    done = gocd(451).answered(200, {"in_progress": False})
    script = Script(LISTED, older(), older(), gocd(449), gocd(451), done, INTERNAL, gocd(455))
    with serving(script) as server:
        pac = client(server)
        _, update = pac.compare(wanted())
        assert update.kind == "update"
        assert "-label_template: old-${COUNT}\n+label_template: ${COUNT}\n" in update.difference
        pac.apply(update)


def test_a_reading_that_is_under_way_is_awaited_too() -> None:
    done = gocd(451).answered(200, {"in_progress": False})
    busy = dataclasses.replace(gocd(449), answer=gocd(450).answer)
    with serving(Script(LISTED, older(), older(), busy, done, INTERNAL, gocd(455))) as server:
        pac = client(server)
        pac.apply(pac.compare(wanted())[1])


def test_a_second_pipeline_of_one_reading_needs_none() -> None:
    with serving(Script(LISTED, older(), gocd(455))) as server:
        pac = client(server)
        pac.apply(pac.compare(wanted())[1])


def test_a_file_that_was_not_pushed_is_said() -> None:
    done = gocd(451).answered(200, {"in_progress": False})
    with serving(Script(LISTED, older(), older(), gocd(449), done, INTERNAL, older())) as server:
        pac = client(server)
        _, update = pac.compare(wanted())
        with pytest.raises(ServerError, match="commit and push the generated file"):
            pac.apply(update)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (467, r"ci.gocd.yaml; 1. Error parsing YAML. : Line 2, column 0: Expected a sequence"),
        (470, r"Parameter 'NOBODY' is not defined"),
        (471, r"Not allowed to refer to pipeline group 'forbidden-group'. Check the 'Rules'"),
        (473, r"You have defined multiple pipelines named 'build'"),
    ],
)
def test_what_is_wrong_in_it_is_said_with_its_place(number: int, said: str) -> None:
    done = gocd(451).answered(200, {"in_progress": False})
    with serving(Script(LISTED, older(), older(), gocd(449), done, gocd(number))) as server:
        pac = client(server)
        _, update = pac.compare(wanted())
        with pytest.raises(ServerError, match=f"GoCD can't use the config repository 'pac': .*{said}"):
            pac.apply(update)


@pytest.mark.parametrize(("number", "said"), [(468, "Error parsing YAML"), (472, "forbidden-group")])
def test_without_the_internal_call_the_health_messages_say_it(number: int, said: str) -> None:
    """The call that has the result is internal and may go; messages about other repositories are not ours."""
    done = gocd(451).answered(200, {"in_progress": False})
    gone = dataclasses.replace(INTERNAL, answer=gocd(53).answer)
    script = Script(LISTED, older(), older(), gocd(449), done, gone, gocd(445), gocd(number))
    with serving(script) as server:
        pac = client(server)
        _, update = pac.compare(wanted())
        with pytest.raises(ServerError, match=said) as error:
            pac.apply(update)
        assert "unable to access" not in error.value.message


def test_a_name_that_is_defined_elsewhere_is_refused() -> None:
    by_api = gocd(455).answered(200, {**gocd(455).json(), "origin": gocd(64).json()["origin"]})
    with serving(Script(LISTED, by_api)) as server:
        pac = client(server)
        _, change = pac.compare(wanted())
        assert change.kind == "refused"
        assert change.reason.startswith("the server's own configuration defines it")
        with pytest.raises(EditedOnServer):
            pac.apply(change, force=True)


def test_a_repository_without_an_address_is_refused() -> None:
    with serving(Script()) as server, pytest.raises(ServerError, match="say `repository: <git URL>`"):
        client(server).compare(dataclasses.replace(wanted(), origin="#."))


# ------------------------------------------------------------------------------------------ preflight


def preflight(number: int) -> Exchange:
    """The file of `wanted()`, for the repository that exists."""
    target = f"{gocd(381).target}&repoId=pac"
    body = str(gocd(381).body).replace("a.gocd.yaml", "pac.gocd.yaml")
    head, _, rest = body.partition("\r\n\r\n")
    tail = rest[rest.index("\r\n--XBENCHX") :]
    asked = gocd(381).asked(target=target, body=f"{head}\r\n\r\nformat_version: 10\n{tail}")
    return dataclasses.replace(asked, answer=gocd(number).answer)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (387, "a.gocd.yaml: Error parsing YAML. : Line 2, column 5: Expected a sequence"),
        (388, "pipelinez is invalid, expected format_version, pipelines, environments, or common"),
        (396, "Parameter 'NOPE' is not defined"),
        (410, "a.gocd.yaml; Pipeline pf: Missing field 'group'."),
        (385, "You have defined multiple pipelines called 'pf'"),
    ],
)
def test_the_servers_own_check_comes_first(number: int, said: str) -> None:
    agents = gocd(270)
    with serving(Script(any_order(agents, LISTED), preflight(number))) as server:
        (finding,) = client(server).check(wanted(_without_resources()))
    assert finding.serious
    assert said in finding.message
    assert "\n" not in finding.message


def _without_resources() -> JSON:
    return pipeline("yaml-build", "compile")


def test_a_right_file_has_no_findings() -> None:
    with serving(Script(any_order(gocd(270), LISTED), preflight(381))) as server:
        assert client(server).check(wanted(_without_resources())) == []


def test_who_may_not_ask_is_not_held_up() -> None:
    with serving(Script(any_order(gocd(270), LISTED), preflight(434))) as server:
        assert client(server).check(wanted(_without_resources())) == []


def test_a_file_that_the_pattern_passes_over_is_found() -> None:
    only_ci = listed(configuration=[{"key": "file_pattern", "value": "ci.gocd.yaml"}])
    with serving(Script(any_order(gocd(270), only_ci), preflight(381))) as server:
        (finding,) = client(server).check(wanted(_without_resources()))
    assert finding.message == "the config repository 'pac' reads only ci.gocd.yaml, and not pac.gocd.yaml"
