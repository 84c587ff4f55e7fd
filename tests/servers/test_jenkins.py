"""The client for Jenkins, against what a real controller answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipegen.errors import AccessRefused, NotOnServer, ServerError, ServerUnavailable
from pipegen.plan.deployment import Definition
from pipegen.servers.connection import Connection
from pipegen.servers.jenkins import Jenkins
from pipegen.servers.model import Place
from tests.servers.exchanges import PASSWORD, USER, Exchange, jenkins, needs_recordings
from tests.servers.replay import ReplayServer, Script, serving

pytestmark = needs_recordings


def client(server: ReplayServer, **settings: object) -> Jenkins:
    """A client for a replay, who waits for nothing."""
    words = {"user": USER, "secret": PASSWORD, "kind": "password", "patience": 0.0, **settings}
    return Jenkins(Connection(server="jenkins", url=f"{server.url}/jenkins", **words))  # type: ignore[arg-type]


def definition(name: str, **words: object) -> Definition:
    """A definition whose text is the one that was recorded."""
    return Definition(name=name, text=str(jenkins("10").body), workflows=("push",), **words)  # type: ignore[arg-type]


def place(name: str, folder: str = "", branch: str | None = None, **words: object) -> Place:
    """Where a recorded job is."""
    return Place(definitions=(definition(name, **words),), workflow="push", folder=folder, branch=branch)


CALLED = "tree=name,fullName,buildable,inQueue,nextBuildNumber,lastBuild[number,url],property[_class]"
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
