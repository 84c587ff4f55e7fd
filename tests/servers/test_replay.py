"""The replay server itself: it tells a right request from a wrong one, and breaks what it is told to break."""

from __future__ import annotations

import json

import pytest
import requests

from tests.servers.exchanges import PASSWORD, USER, gocd, jenkins, needs_recordings
from tests.servers.replay import Faults, Script, any_order, serving

pytestmark = needs_recordings
V11 = {"Accept": "application/vnd.go.cd.v11+json"}
ADMIN = (USER, PASSWORD)


def test_what_is_asked_as_recorded_is_answered_as_recorded_with_this_servers_address() -> None:
    with serving(Script(gocd(64), any_order(gocd(1), gocd(67)))) as server:
        found = requests.get(f"{server.url}/go/api/admin/pipelines/build", auth=ADMIN, headers=V11)
        assert found.headers["ETag"] == gocd(64).answer.headers["ETag"]
        assert found.json()["_links"]["self"]["href"] == f"{server.url}/go/api/admin/pipelines/build"
        missing = requests.get(f"{server.url}/go/api/admin/pipelines/nope", auth=ADMIN, headers=V11)
        assert (missing.status_code, missing.json()["message"]) == (
            404,
            "Pipeline with name 'nope' was not found!",
        )
        version = requests.get(
            f"{server.url}/go/api/version", headers={"Accept": "application/vnd.go.cd+json"}
        )
        assert version.json()["version"] == "26.1.0"


def test_parts_and_forms_are_compared_by_what_they_hold() -> None:
    linted = jenkins("98p")
    script = str(linted.body).split("\r\n\r\n", 1)[1].split("\r\n\r\n--X--")[0]
    submitted = jenkins("67f")
    with serving(Script(linted, submitted)) as server:
        sent = {"jenkinsfile": (None, script)}
        assert "successfully" in requests.post(server.url + linted.target, auth=ADMIN, files=sent).text
        form = {"json": json.dumps({"parameter": [{"name": "REASON", "value": "because"}]})}
        assert requests.post(server.url + submitted.target, auth=ADMIN, data=form).status_code == 200


def test_what_differs_is_said_by_place_and_fails_the_test() -> None:
    changed = json.loads(json.dumps(gocd(51).body))
    changed["pipeline"]["stages"][0]["name"] = "x"

    def ask() -> None:
        with serving(Script(gocd(51))) as server:
            url = f"{server.url}/go/api/admin/pipelines"
            assert requests.post(url, json=changed, headers={**V11, "If-Match": "1"}).status_code == 501

    with pytest.raises(AssertionError) as failure:
        ask()
    assert [line.strip() for line in str(failure.value).splitlines()] == [
        "POST /go/api/admin/pipelines is not gocd/051-pipeline-create.json:",
        "header If-Match: expected None, got '1'",
        "header Authorization: expected 'Basic YWRtaW46cGFzc3dvcmQ=', got None",
        "body.pipeline.stages[0].name: expected 'compile', got 'x'",
    ]


def test_what_is_asked_too_late_or_never_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="nothing more is expected"), serving(Script()) as server:
        requests.get(server.url)
    with (
        pytest.raises(AssertionError, match=r"064-pipeline-get[.]json was not asked for"),
        serving(Script(gocd(64))),
    ):
        pass


def test_faults_hit_as_often_as_told_the_same_way_each_time() -> None:
    def kinds(seed: int) -> list[str]:
        faults = Faults(seed, refuse=0.2, drop=0.2, truncate=0.2, unavailable=0.2)
        with serving(Script(*[gocd(64)] * 10), faults) as server:
            good = 0
            while good < 10:
                try:
                    found = requests.get(
                        f"{server.url}/go/api/admin/pipelines/build", auth=ADMIN, headers=V11
                    )
                except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                    continue
                good += found.status_code == 200
        return [kind for kind, _ in faults.happened]

    assert set(kinds(3)) == {"refuse", "drop", "truncate", "unavailable"}
    assert kinds(3) == kinds(3) != kinds(4)
