"""The client for Jenkins, against what a real controller answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from pipegen.errors import AccessRefused, EditedOnServer, NotOnServer, ServerError, ServerUnavailable
from pipegen.plan.deployment import Deployment, Details, Need
from pipegen.servers.jenkins.config import Config, marked
from tests.servers.exchanges import PASSWORD, Exchange, jenkins, needs_recordings
from tests.servers.jenkins_client import client, definition, place
from tests.servers.replay import Faults, Script, serving

pytestmark = needs_recordings


ROOT = "/jenkins/api/json?tree=mode,nodeDescription,quietingDown,useCrumbs"


# ---------------------------------------------------------------------------------------------- who and where


def test_says_its_version_and_who_we_are() -> None:
    with serving(Script(jenkins("ctl-c2"), jenkins("ctl-c"))) as server:
        about = client(server).about()
    assert (about.version, about.user, about.closed) == ("2.579", "admin", "")


def test_says_that_it_starts_nothing_before_a_shutdown() -> None:
    quiet = jenkins("97c").asked(target=ROOT)
    with serving(Script(quiet, jenkins("ctl-c"))) as server:
        assert client(server).about().closed == "it is about to shut down and starts no builds"


@pytest.mark.parametrize(
    ("exchange", "error", "says"),
    [
        (lambda: jenkins("90"), AccessRefused, "does not know 'admin' with this password: check PIPEGEN_JENKINS_USER"),
        (lambda: jenkins("90b").asked(headers={"Authorization": None}), AccessRefused, "Overall/Read is missing"),
        (lambda: jenkins("24"), NotOnServer, "there is no Jenkins at http"),
        (lambda: jenkins("93f"), ServerError, "did not answer as Jenkins does"),
        (lambda: jenkins("ctl-c2").answered(X_Jenkins=""), ServerError, "is no Jenkins"),
        (lambda: jenkins("ctl-f0"), ServerUnavailable, "is not ready: 503 it is starting"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_address_or_credentials_is_said_in_one_line(
    exchange: Callable[[], Exchange], error: type[ServerError], says: str
) -> None:
    wrong = exchange().asked(method="GET", target=ROOT, headers={"Authorization": None})
    with serving(Script(wrong)) as server, pytest.raises(error) as failure:
        client(server).about()
    assert says in failure.value.message
    assert "\n" not in failure.value.message and PASSWORD not in failure.value.message.replace(
        "this password", ""
    )


def test_a_controller_that_starts_is_waited_for_and_its_401_of_a_moment_too() -> None:
    answers = [jenkins(name).asked(target=ROOT) for name in ("ctl-f0", "ctl-f0", "ctl-f1")]
    with serving(Script(*answers, jenkins("ctl-c2"), jenkins("ctl-c"))) as server:
        assert client(server, patience=10.0).about().version == "2.579"


def test_a_password_gets_its_crumb_when_jenkins_asks_for_one_and_keeps_it() -> None:
    started = jenkins("27"), jenkins("91").asked(target=jenkins("30").target), jenkins("01"), jenkins("30")
    with serving(Script(*started, jenkins("27"), jenkins("30"))) as server:
        driver = client(server)
        assert driver.trigger(place("c-inline"), {}).ticket == "4"
        assert driver.trigger(place("c-inline"), {}).ticket == "4"
    crumb = jenkins("01").json()
    assert server.received[-1].headers[crumb["crumbRequestField"]] == crumb["crumb"]


def test_a_token_needs_no_crumb() -> None:
    with serving(Script(jenkins("27"), jenkins("92b"))) as server:
        assert client(server, kind="token").trigger(place("c-inline"), {}).ticket == "25"


# ---------------------------------------------------------------------------------------------- jobs


def plain(folder: str = "", origin: str = "https://git.example.com/toy.git#.") -> Deployment:
    """A deployment of the recorded job."""
    return Deployment(pipeline="toy", origin=origin, folder=folder, definitions=(definition("c-inline"),))


def sent(name: str = "10", text: str | None = None) -> Exchange:
    """The recorded creation or update with our mark in its definition."""
    return jenkins(name).asked(body=marked(text or str(jenkins("10").body), plain().origin))


def there(text: str | None = None) -> Exchange:
    """The recorded definition, as Jenkins rewrote it, with our mark."""
    given = marked(text or str(jenkins("10").body), plain().origin)
    return jenkins("20").answered(body=given.replace("<?xml version='1.1'", '<?xml version="1.1"'))


ABSENT = "/jenkins/job/c-inline/config.xml"


def absent(target: str = ABSENT) -> Exchange:
    """No such job."""
    return jenkins("24").asked(target=target)


def test_a_job_is_made_once_with_our_mark() -> None:
    with serving(Script(absent(), sent(), there())) as server:
        driver = client(server)
        (change,) = driver.compare(plain())
        assert (change.kind, change.what, change.name) == ("create", "job", "c-inline")
        driver.apply(change)
        assert [each.kind for each in driver.compare(plain())] == ["unchanged"]


def test_a_folder_is_made_before_what_goes_into_it() -> None:
    inner = jenkins("94b").asked(body=sent().body)
    no_job = absent("/jenkins/job/fold/job/inner/config.xml")
    no_folder = absent("/jenkins/job/fold/api/json?tree=name")
    wanted = replace(plain("fold"), definitions=(replace(definition("inner")),))
    with serving(Script(no_job, no_folder, jenkins("94"), inner)) as server:
        driver = client(server)
        folder, job = driver.compare(wanted)
        assert (folder.kind, folder.what, folder.name) == ("create", "folder", "fold")
        driver.apply(folder)
        driver.apply(job)


def test_an_update_looks_first_whether_somebody_was_there() -> None:
    old = there(str(jenkins("10").body).replace("line $i", "row $i"))
    with serving(Script(old, old, sent("21"), old, there())) as server:
        driver = client(server)
        (change,) = driver.compare(plain())
        assert change.kind == "update" and "-script: pipeline" in change.difference
        driver.apply(change)
        (change,) = driver.compare(plain())
        driver.apply(change)  # somebody else deployed the same meanwhile


def test_an_edit_between_the_difference_and_the_change_stops_it_and_is_shown() -> None:
    old = there(str(jenkins("10").body).replace("line $i", "row $i"))
    edited = old.answered(body=old.answer.body.replace(b"<disabled>false", b"<disabled>true"))
    with serving(Script(old, edited)) as server:
        driver = client(server)
        (change,) = driver.compare(plain())
        with pytest.raises(EditedOnServer) as failure:
            driver.apply(change)
    assert "c-inline was changed on Jenkins in the meantime" in failure.value.message
    assert "-disabled: false\n+disabled: true" in failure.value.message


def test_a_lost_answer_to_a_creation_is_looked_up_and_not_sent_twice() -> None:
    faults = Faults(drop=1.0, methods=("POST",), at_most=1)
    with serving(Script(absent(), sent(), there()), faults) as server:
        driver = client(server)
        driver.apply(*driver.compare(plain()))
        assert server.count("POST") == 1
    refused = Faults(refuse=1.0, methods=("POST",), at_most=2)
    with serving(Script(*[absent()] * 3, sent()), refused) as server:
        driver = client(server)
        driver.apply(*driver.compare(plain()))
        assert server.count("POST") == 3
    with serving(Script(*[absent()] * 4), Faults(refuse=1.0, methods=("POST",), in_a_row=9)) as server:
        driver = client(server)
        with pytest.raises(ServerUnavailable, match="3 times; it was not changed"):
            driver.apply(*driver.compare(plain()))


@pytest.mark.parametrize(
    ("number", "error", "says"),
    [
        ("12", ServerError, "could not read the definition of c-inline; does it lack a plugin?"),
        ("14", ServerError, "Jenkins refuses: / is an unsafe character (400)"),
        ("90e", AccessRefused, "forbids it to the user 'admin': the permission Item/Create is missing"),
        ("91b", AccessRefused, "No valid crumb was included in the request"),
    ],
)
def test_a_creation_that_jenkins_refuses_is_said_in_its_words(
    number: str, error: type[ServerError], says: str
) -> None:
    refused = jenkins(number).asked(
        target=jenkins("10").target, body=sent().body, headers={**jenkins("10").headers}
    )
    again = [jenkins("01"), refused] if number == "91b" else []
    with serving(Script(absent(), refused, *again)) as server:
        driver = client(server)
        changes = driver.compare(plain())
        with pytest.raises(error) as failure:
            driver.apply(*changes)
    assert says in failure.value.message and "\n" not in failure.value.message


def test_a_duplicate_that_somebody_made_meanwhile_is_no_success_unless_it_is_the_same() -> None:
    duplicate = jenkins("11").asked(body=sent().body)
    with serving(Script(absent(), duplicate, there())) as server:
        driver = client(server)
        driver.apply(*driver.compare(plain()))
    with serving(Script(absent(), duplicate, jenkins("20"))) as server:
        driver = client(server)
        changes = driver.compare(plain())
        with pytest.raises(ServerError, match="A job already exists with the name c-inline"):
            driver.apply(*changes)


def test_a_definition_that_may_not_be_read_is_said() -> None:
    secret = jenkins("90f").asked(headers={"Authorization": None})
    with (
        serving(Script(secret)) as server,
        pytest.raises(AccessRefused, match="Item/Configure is missing"),
    ):
        client(server).compare(plain())


def test_what_is_pruned_is_ours_and_of_this_description_alone() -> None:
    marks = [f"x [pipegen 000000000000 000000000000 {plain().origin}]", "by hand", None]
    names = ("gone", "mine", "other")
    jobs = [{"name": name, "description": mark} for name, mark in zip(names, marks, strict=True)]
    listing = jenkins("93m").asked(target="/jenkins/api/json?tree=jobs[name,description]")
    listing = listing.answered(body=json.dumps({"jobs": jobs}))
    gone = [there().asked(target="/jenkins/job/gone/config.xml")] * 2
    deleted = jenkins("95c").asked(target="/jenkins/job/gone/doDelete")
    with serving(Script(there(), listing, *gone, deleted)) as server:
        driver = client(server)
        kept, change = driver.compare(plain(), prune=True)
        assert (kept.kind, change.kind, change.name) == ("unchanged", "delete", "gone")
        driver.apply(change)


def test_what_jenkins_rewrites_in_a_multibranch_job_is_no_difference() -> None:
    given, back = str(jenkins("mb-a1").body), jenkins("mb-a2").answer.body.decode()
    assert Config(given).ours == Config(back).ours
    assert not Config(marked(given, "x")).is_edited


# ---------------------------------------------------------------------------------------------- what is missing


def needing(*needs: Need, files: Mapping[str, str] | None = None, **words: object) -> Deployment:
    details = Details(files=files or {}, needs=needs)
    return replace(plain(), details=lambda: details, **words)  # type: ignore[arg-type]


def test_plugins_are_compared_with_those_that_are_there() -> None:
    needs = (
        Need(kind="plugin", name="workflow-job", detail="1145"),
        Need(kind="plugin", name="junit", detail="9999"),
        Need(kind="plugin", name="nosuch"),
    )
    with serving(Script(jenkins("93e"))) as server:
        found = client(server).check(needing(*needs))
    assert [each.message for each in found] == [
        "the plugin junit is too old: 1424.vc64a_edde7777",
        "the plugin nosuch is missing",
    ]
    may_not = jenkins("ctl-a2").asked(target=jenkins("93e").target, headers={"Authorization": None})
    with serving(Script(may_not)) as server:
        (finding,) = client(server).check(needing(*needs))
    assert not finding.serious and "may not see which plugins" in finding.message


LABEL = "/jenkins/label/{}/api/json?tree=name,offline,totalExecutors,nodes[nodeName]"


def test_a_label_that_nobody_has_is_said_before_builds_wait_for_ever() -> None:
    needs = [
        Need(kind="label", name=name, by=("train",)) for name in ("linux && nosuchlabel", "linux", "a || b")
    ]
    with serving(
        Script(jenkins("93e"), jenkins("ctl-b").asked(target=LABEL.format("linux")), jenkins("ctl-b2"))
    ) as server:
        (finding,) = client(server).check(needing(*needs))
    assert finding.message.startswith("no agent has the label 'nosuchlabel': train would wait for ever")
    assert not finding.serious


def test_credentials_must_be_there_and_of_their_type() -> None:
    needs = [
        Need(kind="credentials", name=name, detail=kind, by=("train",))
        for name, kind in (("secret-text", "string"), ("user-pass", "string"), ("nope", "file"))
    ]
    with serving(Script(jenkins("93e"), jenkins("73"))) as server:
        found = client(server).check(needing(*needs))
    assert [each.message for each in found] == [
        "the credentials 'user-pass' are a 'Username with password', not 'Secret text'",
        "there are no credentials 'nope': train would fail",
    ]
    hidden = jenkins("74d").asked(
        method="GET", target=jenkins("73").target, body=None, headers={"Authorization": None}
    )
    with serving(Script(jenkins("93e"), hidden)) as server:
        (finding,) = client(server).check(needing(*needs))
    assert "may not see which credentials" in finding.message


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("98a", ""),
        ("98d", "rejects Jenkinsfile: WorkflowScript: 10: expecting '}', found '' @ line 10, column 1."),
        ("98e", 'rejects Jenkinsfile: WorkflowScript: 3: Duplicate stage name: "a" @ line 3, column 3.'),
        ("98f", "rejects Jenkinsfile: WorkflowScript: 4: Invalid option type"),
    ],
)  # fmt: skip
def test_the_linter_is_asked_for_declarative_files_and_its_words_are_shown(number: str, says: str) -> None:
    linted = jenkins(number)
    text = parse_qs(str(linted.body))["jenkinsfile"][0]
    files = {"Jenkinsfile": text, "ci/Jenkinsfile.graph": "import groovy.transform.Field\nnode { }\n"}
    scripts = tuple(definition(name, script=name) for name in files)
    with serving(Script(jenkins("93e"), linted)) as server:
        found = client(server).check(needing(definitions=scripts, files=files))
    assert [says in each.message for each in found] == [True] * bool(says), found
