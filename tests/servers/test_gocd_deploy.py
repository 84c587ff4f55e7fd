"""Deploying to GoCD through the pipeline API: every answer that was recorded, and a bad network."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from pipegen.errors import AccessRefused, EditedOnServer, PipegenError, ServerError, ServerUnavailable
from pipegen.servers.gocd import GoCD
from pipegen.servers.gocd.pipelines import Seen, There
from pipegen.servers.model import Change
from tests.servers.exchanges import Exchange, gocd, recorded, skip_without_recordings
from tests.servers.gocd_client import client, deployment, ours, pipeline, sent
from tests.servers.gocd_model import GoCDModel
from tests.servers.replay import Faults, Script, serving

skip_without_recordings()
pytestmark = pytest.mark.usefixtures("soon")

JSON = dict[str, Any]
TAG = gocd(64).answer.headers["ETag"]


def absent(name: str) -> Exchange:
    return gocd(67).asked(target=f"/go/api/admin/pipelines/{name}")


def there(body: JSON, **more: Any) -> Exchange:
    """The server has this pipeline, and shows it as 064 does: with links, origin and every default."""
    kept = {**gocd(64).json(), **gocd(524).json(), **body, "origin": gocd(64).json()["origin"], **more}
    return gocd(64).asked(target=f"/go/api/admin/pipelines/{body['name']}").answered(200, kept, ETag=TAG)


def put(body: JSON, number: int = 72) -> Exchange:
    target = f"/go/api/admin/pipelines/{body['name']}"
    return gocd(number).asked(target=target, body=body, headers={"If-Match": TAG})


def only(server: Any, body: JSON, **options: Any) -> tuple[GoCD, Change]:
    """A client, and the one change that it sees for a pipeline."""
    gocd_client = client(server)
    (change,) = gocd_client.compare(deployment(body), **options)
    return gocd_client, change


TRAIN = pipeline("house-push", "train")


def test_a_new_pipeline_is_made_with_our_mark() -> None:
    create = gocd(51).asked(body=sent(TRAIN))
    with serving(Script(absent("house-push"), gocd(48), create)) as server:
        gocd_client, change = only(server, TRAIN)
        assert (change.kind, change.name, change.reason) == ("create", "house-push", "")
        assert change.difference.splitlines() == [
            "+ group bench",
            f"+ git {TRAIN['materials'][0]['attributes']['url']}, branch main",
            "+ stage train: train",
        ]
        gocd_client.apply(change)


def test_a_group_that_begins_is_said() -> None:
    groups = gocd(48).answered(200, {"_embedded": {"groups": []}})
    with serving(Script(absent("house-push"), groups)) as server:
        assert only(server, TRAIN)[1].reason == "it begins the pipeline group 'bench'"


def test_one_request_says_that_nothing_changes() -> None:
    with serving(Script(there(ours(TRAIN)))) as server:
        gocd_client, change = only(server, TRAIN)
        assert (change.kind, change.difference) == ("unchanged", "")
        gocd_client.apply(change)


def test_what_differs_is_put_with_the_etag_that_was_seen() -> None:
    old = pipeline("house-push", "prepare")
    with serving(Script(there(ours(old)), put(ours(TRAIN)))) as server:
        gocd_client, change = only(server, TRAIN)
        assert change.kind == "update"
        assert "-prepare/prepare tasks 1 command: true\n" in change.difference
        assert "+train/train tasks 1 command: true\n" in change.difference
        gocd_client.apply(change)


def test_keys_that_a_newer_server_adds_empty_are_no_difference() -> None:
    newer = {**ours(TRAIN), "something_new": None, "annotations": []}
    with serving(Script(there(newer))) as server:
        assert only(server, TRAIN)[1].kind == "unchanged"


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (there(TRAIN), "pipegen did not make it"),
        (
            there(ours(TRAIN, origin="https://else#x")),
            "it is deployed from another description, https://else#x",
        ),
        (
            gocd(455).asked(target="/go/api/admin/pipelines/house-push"),
            "the config repository 'pac' defines it, and GoCD changes it only there",
        ),
    ],
    ids=["no mark", "another's mark", "config repository"],
)
def test_what_is_not_ours_is_refused(seen: Exchange, why: str) -> None:
    with serving(Script(seen)) as server:
        gocd_client, change = only(server, TRAIN)
        assert (change.kind, change.reason) == ("refused", why)
        with pytest.raises(EditedOnServer, match=why):
            gocd_client.apply(change)


def test_an_edit_since_the_last_deploy_is_refused_with_the_difference_unless_it_is_forced() -> None:
    by_hand = {**ours(TRAIN), "label_template": "by-hand-${COUNT}"}
    with serving(Script(there(by_hand), put(ours(TRAIN)))) as server:
        gocd_client, change = only(server, TRAIN)
        assert change.reason == "somebody edited it on the server since it was deployed"
        with pytest.raises(EditedOnServer, match="by-hand"):
            gocd_client.apply(change)
        gocd_client.apply(change, force=True)


def test_an_edit_while_we_look_is_not_overwritten() -> None:
    """The server answers 412 to a stale ETag [R 070]; the difference that is shown is to what is there now."""
    old, now = pipeline("house-push", "prepare"), pipeline("house-push", "edited")
    with serving(Script(there(ours(old)), put(ours(TRAIN), 70), there(ours(now)))) as server:
        gocd_client, change = only(server, TRAIN)
        with pytest.raises(EditedOnServer, match="meanwhile") as error:
            gocd_client.apply(change)
        assert "-edited/edited tasks 1 command: true\n" in error.value.message


def test_one_made_while_we_look_is_not_overwritten() -> None:
    now = there(pipeline("house-push", "edited"))
    duplicate = gocd(52).asked(body=sent(TRAIN))
    with serving(Script(absent("house-push"), gocd(48), duplicate, now)) as server:
        gocd_client, change = only(server, TRAIN)
        with pytest.raises(EditedOnServer, match="meanwhile"):
            gocd_client.apply(change)


def test_the_reasons_that_26_1_loses_are_told_by_preflight() -> None:
    """A POST that is wrong answers 404 [R 083]; preflight has the reasons [R 396], and among them is none of the names
    that the server has already [R 386]."""
    files = {"house.gocd.yaml": _file_of(396)}
    lost = gocd(83).asked(body=sent(TRAIN))
    both = [*gocd(386).json()["errors"], *gocd(396).json()["errors"]]
    groups = gocd(48).answered(
        200, {"_embedded": {"groups": [{"name": "bench", "pipelines": [{"name": "build"}]}]}}
    )
    preflight = gocd(396).answered(200, {"errors": both, "valid": False})
    preflight = preflight.asked(body=str(preflight.body).replace("a.gocd.yaml", "house.gocd.yaml"))
    with serving(Script(absent("house-push"), groups, lost, preflight)) as server:
        gocd_client = client(server)
        (change,) = gocd_client.compare(deployment(TRAIN, files=files))
        with pytest.raises(ServerError) as error:
            gocd_client.apply(change)
    assert error.value.message == (
        "GoCD finds house-push wrong: Parameter 'NOPE' is not defined. All pipelines using this parameter directly or "
        "via a template must define it."
    )


def _file_of(number: int) -> str:
    """The file that was sent to preflight."""
    return str(gocd(number).body).split("\r\n\r\n", 1)[1].split("\r\n--XBENCHX")[0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (recorded("gocd-25.4", "083"), "GoCD refuses: .*Parameter 'NOPE' is not defined"),
        (recorded("gocd-25.4", "171"), "GoCD refuses: "),
        (gocd(37), "only an administrator can begin a group".capitalize()),
        (gocd(60), "GoCD refuses: "),
        (gocd(56), "GoCD refuses: "),
        (gocd(53), "does not serve POST /api/admin/pipelines in version 11"),
        (gocd(113), "GoCD failed with 500: Save failed"),
        (gocd(341), "GoCD at .* is not ready: 503 Server is in maintenance mode, please try later."),
        (gocd(330), "GoCD forbids it to the user 'admin': You are not authorized to perform this action."),
        (gocd(22), "GoCD at .* does not know 'admin' with this password: check PIPEGEN_GOCD_USER"),
    ],
    ids=lambda value: value.name if isinstance(value, Exchange) else "",
)
def test_each_refusal_of_a_new_pipeline_is_one_line(answer: Exchange, expected: str) -> None:
    create = dataclasses.replace(gocd(51).asked(body=sent(TRAIN)), answer=answer.answer)
    look = (absent("house-push"),) if answer.answer.status == 422 else ()
    with serving(Script(absent("house-push"), gocd(48), create, *look)) as server:
        gocd_client, change = only(server, TRAIN)
        with pytest.raises(ServerError, match=expected) as error:
            gocd_client.apply(change)
        assert "\n" not in error.value.message


def test_an_update_that_is_wrong_says_each_reason_with_its_place() -> None:
    old = pipeline("house-push", "prepare")
    wrong = dataclasses.replace(put(ours(TRAIN)), answer=gocd(130).answer)
    with serving(Script(there(ours(old)), wrong)) as server:
        gocd_client, change = only(server, TRAIN)
        with pytest.raises(ServerError, match='s: Role "ghost" does not exist') as error:
            gocd_client.apply(change)
        assert "not authorized to operate pipeline group `bench`" in error.value.message


# ------------------------------------------------------------------------------------------ pruning, environments


def groups(*names: str) -> Exchange:
    found = [{"name": "bench", "pipelines": [{"name": name} for name in names]}]
    return gocd(48).answered(200, {"_embedded": {"groups": found}})


def test_what_the_description_no_longer_has_is_deleted_users_first_and_nothing_else() -> None:
    upstream = pipeline("house-old", "train")
    user = pipeline("house-old-after", "test")
    user["materials"] = [{"type": "dependency", "attributes": {"pipeline": "house-old", "stage": "train"}}]
    model = GoCDModel()
    with serving(model) as server:
        gocd_client = client(server)
        _deploy(gocd_client, deployment(TRAIN, upstream, user))
        for foreign in (pipeline("house-by-hand"), pipeline("other-push")):
            model.pipelines[foreign["name"]] = {**foreign, "group": "bench"}
        theirs = ours(pipeline("house-s-push"), origin="https://else#")
        model.pipelines["house-s-push"] = theirs
        model.environments["qa"] = ["house-old"]

        assert [change.kind for change in gocd_client.compare(deployment(TRAIN))] == ["unchanged"]
        found = client(server).compare(deployment(TRAIN), prune=True)
        assert [(c.kind, c.name) for c in found] == [
            ("unchanged", "house-push"),
            ("delete", "house-old-after"),
            ("delete", "house-old"),
        ]
        for change in found:
            gocd_client.apply(change)
        assert sorted(model.pipelines) == ["house-by-hand", "house-push", "house-s-push", "other-push"]
        assert model.environments == {"qa": []}


def test_an_edited_one_is_not_deleted() -> None:
    left = {**ours(pipeline("house-old", "train")), "label_template": "by-hand-${COUNT}"}
    script = Script(there(ours(TRAIN)), groups("house-push", "house-old"), there(left))
    with serving(script) as server:
        gocd_client = client(server)
        _, change = gocd_client.compare(deployment(TRAIN), prune=True)
        assert (change.kind, change.name) == ("refused", "house-old")


def test_one_that_others_need_stays_and_is_said() -> None:
    left = there(ours(pipeline("build", "train")))
    no_environments = gocd(373).answered(200, {"_embedded": {"environments": []}})
    nothing = dataclasses.replace(deployment(name="b"), pipeline="bui")
    with serving(Script(groups("bui-ld"), absent("bui-ld"))) as server:
        assert client(server).compare(nothing, prune=True) == []
    change = Change(kind="delete", name="build", what="pipeline", seen=Seen({}, There(left.json(), TAG), {}))
    with (
        serving(Script(left, no_environments, gocd(380))) as server,
        pytest.raises(ServerError, match=r"as pipeline 'deploy \(cruise-config.xml\)' depends on it"),
    ):
        client(server).apply(change)


def test_pipelines_join_their_environment() -> None:
    model = GoCDModel()
    model.environments["prod"] = []
    wanted = deployment(TRAIN, options={"environment": "prod"})
    with serving(model) as server:
        gocd_client = client(server)
        kinds = [(c.kind, c.what, c.difference) for c in _deploy(gocd_client, wanted)]
        assert kinds[1] == ("update", "environment", "+ house-push\n")
        assert model.environments == {"prod": ["house-push"]}
        assert not model.paused
        assert [c.kind for c in client(server).compare(wanted)] == ["unchanged"]


def test_a_new_pipeline_does_not_begin_before_it_is_in_its_environment() -> None:
    """It is live at once [facts 2], and would be taken by an agent of none. What a person paused stays so."""
    model = GoCDModel()
    model.environments["prod"] = []
    other = pipeline("house-nightly", "train")
    model.pipelines["house-nightly"], model.paused["house-nightly"] = ours(other), "holidays"
    wanted = deployment(TRAIN, other, options={"environment": "prod"})
    with serving(model, Faults(refuse=1.0, methods=("PATCH",), at_most=1)) as server:
        gocd_client = client(server)
        create, _, join = gocd_client.compare(wanted)
        gocd_client.apply(create)
        with pytest.raises(ServerUnavailable):
            gocd_client.apply(join)
        assert model.paused["house-push"].startswith("pipegen deploys it")
        _deploy(gocd_client, wanted)  # whoever deploys again brings it to its end
        assert model.paused == {"house-nightly": "holidays"}
        assert sorted(model.environments["prod"]) == ["house-nightly", "house-push"]


def test_one_that_stays_paused_is_said_and_resumed_by_the_next_deployment() -> None:
    model = GoCDModel()
    model.environments["prod"] = []
    wanted = deployment(TRAIN, options={"environment": "prod"})
    with serving(model) as server:
        gocd_client = client(server)
        create, join = gocd_client.compare(wanted)
        gocd_client.apply(create)
        with (
            serving(model, Faults(refuse=1.0, methods=("POST",))) as bad,
            pytest.raises(ServerError, match="is in the environment 'prod' and still paused: resume it on"),
        ):
            client(bad).apply(join)
        assert model.environments == {"prod": ["house-push"]} and model.paused
        same, mends = client(server).compare(wanted)
        assert (same.kind, mends.kind, mends.name) == ("unchanged", "update", "prod")
        assert mends.difference == "- house-push is paused, as pipegen left it\n"
        client(server).apply(mends)
        assert not model.paused and server.count("PATCH") == 0
        assert [c.kind for c in client(server).compare(wanted)] == ["unchanged"]
        model.paused["house-push"] = "holidays"  # by a person: that is no business of a deployment
        assert [c.kind for c in client(server).compare(wanted)] == ["unchanged"]


@pytest.mark.parametrize(
    ("environments", "why"),
    [({}, "no such environment"), ({"prod": [], "qa": ["house-push"]}, "house-push is in 'qa'")],
    ids=["missing", "elsewhere"],
)
def test_an_environment_that_can_not_hold_it_is_refused(environments: dict[str, list[str]], why: str) -> None:
    model = GoCDModel()
    model.environments.update(environments)
    model.pipelines["house-push"] = ours(TRAIN)
    with serving(model) as server:
        _, change = client(server).compare(deployment(TRAIN, options={"environment": "prod"}))
        assert change.kind == "refused"
        assert why in change.reason


# ------------------------------------------------------------------------------------------ a bad network


def _deploy(gocd_client: GoCD, wanted: Any, **options: Any) -> list[Change]:
    changes = list(gocd_client.compare(wanted, **options))
    for change in changes:
        gocd_client.apply(change)
    return changes


@pytest.mark.parametrize("seed", range(3))
def test_a_bad_network_makes_nothing_twice_and_leaves_nothing_unsaid(seed: int) -> None:
    """Every change is either on the server as wanted, or its failure was raised."""
    model = GoCDModel()
    bodies = [pipeline(f"house-{n}", "train") for n in range(8)]
    faults = Faults(seed, refuse=0.1, drop=0.2, truncate=0.2, unavailable=0.1, delay=0.01)
    model.pipelines["house-0"] = ours(pipeline("house-0", "old"))
    with serving(model, faults) as server:
        gocd_client = client(server, patience=6.0)
        done, failed = [], []
        for change in gocd_client.compare(deployment(*bodies)):
            try:
                gocd_client.apply(change)
                done.append(change.name)
            except ServerUnavailable as error:
                failed.append((change.name, error.message))
        assert len(faults.happened) > 3
        for name in done:
            assert model.pipelines[name]["stages"][0]["name"] == "train"
        assert all(message for _, message in failed)
        assert len(done) + len(failed) == 8
        assert len(done) > 4
        # whoever deploys again gets there
        faults.at_most = 0
        _deploy(gocd_client, deployment(*bodies))
        assert [c.kind for c in gocd_client.compare(deployment(*bodies))] == ["unchanged"] * 8
        assert server.count("POST", "/api/admin/pipelines") >= 7


def test_a_lost_answer_to_a_creation_is_looked_up() -> None:
    model = GoCDModel()
    with serving(model, Faults(drop=1.0, methods=("POST",), at_most=1)) as server:
        _deploy(client(server), deployment(TRAIN))
        assert (server.count("POST"), list(model.pipelines)) == (1, ["house-push"])


def test_a_creation_that_never_comes_through_is_said() -> None:
    with serving(GoCDModel(), Faults(refuse=1.0, methods=("POST",), in_a_row=99)) as server:
        gocd_client = client(server)
        (change,) = gocd_client.compare(deployment(TRAIN))
        with pytest.raises(ServerUnavailable, match="asked 3 times to make house-push"):
            gocd_client.apply(change)


def test_a_lost_answer_to_an_update_is_no_conflict_with_ourselves() -> None:
    model = GoCDModel()
    model.pipelines["house-push"] = ours(pipeline("house-push", "old"))
    with serving(model, Faults(drop=1.0, methods=("PUT",), at_most=1)) as server:
        _deploy(client(server, patience=5.0), deployment(TRAIN))
        assert server.count("PUT") == 2
        assert model.pipelines["house-push"]["stages"][0]["name"] == "train"


# ------------------------------------------------------------------------------------------ who and where


def test_the_server_says_what_it_is_and_who_we_are() -> None:
    with serving(Script(gocd(1), gocd(29), gocd(338))) as server:
        about = client(server).about()
        assert (about.version, about.user, about.closed) == ("26.1.0", "admin", "")
    token = gocd(32).headers["Authorization"].split()[1]
    closed = gocd(338).answered(200, {**gocd(338).json(), "is_maintenance_mode": True})
    closed = closed.asked(headers={"Authorization": f"Bearer {token}"})
    with serving(Script(gocd(1), gocd(32), closed)) as server:
        assert client(server, user="", secret=token).about().closed == "it is in maintenance mode"


def test_without_security_there_are_no_users() -> None:
    maintenance = gocd(338).asked(headers={"Authorization": None})
    nobody = gocd(10).asked(headers={"Accept": gocd(29).headers["Accept"]})
    with serving(Script(gocd(1), nobody, maintenance)) as server:
        assert client(server, user="", secret="").about().user == "anonymous"


@pytest.mark.parametrize(
    ("answer", "secret", "expected"),
    [
        (gocd(33), "0123456789", "GoCD at .* does not know this token: check PIPEGEN_GOCD_USER"),
        (
            dataclasses.replace(gocd(29), answer=gocd(21).answer),
            "",
            "wants credentials: set PIPEGEN_GOCD_USER",
        ),
    ],
    ids=["wrong token", "no token"],
)
def test_who_is_not_known_is_told(answer: Exchange, secret: str, expected: str) -> None:
    answer = answer.asked(headers={"Authorization": f"Bearer {secret}" if secret else None})
    with serving(Script(gocd(1), answer)) as server, pytest.raises(AccessRefused, match=expected):
        client(server, user="", secret=secret).about()


def test_another_page_at_the_address_is_told() -> None:
    for status, page, said in (
        (404, "<html>", "the address ends with /go"),
        (200, "<html><title>Sign in</title>", r"did not answer as GoCD does \(Sign in\)"),
    ):
        answer = gocd(1).answered(status, page, Content_Type="text/html")
        with serving(Script(answer)) as server, pytest.raises(PipegenError, match=said):
            client(server).about()


def test_the_mark_is_a_parameter_that_gocd_takes() -> None:
    """A parameter's value may hold no lone `#`, which begins the name of one [R 090]."""
    (mark,) = [p for p in ours(TRAIN)["parameters"] if p["name"] == "pipegen"]
    assert "#" not in mark["value"]
    assert json.dumps(mark)
