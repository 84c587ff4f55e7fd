"""The Jenkins client against a real CI server over real HTTP, with real builds: Hudson, Jenkins' ancestor.

It has no pipelines and no queue items. What both share is tried: transport and crumbs, jobs, builds,
logs, test reports. Lists of builds are not: Hudson knows no ranges in `tree`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipegen.errors import EditedOnServer, NotOnServer, ServerError, ServerUnavailable
from pipegen.plan.deployment import Definition, Deployment
from pipegen.servers.connection import Connection
from pipegen.servers.jenkins import Jenkins
from pipegen.servers.jenkins.deploying import Deploying
from pipegen.servers.jenkins.rest import Rest
from pipegen.servers.model import Place, Run, RunRef
from tests.support import jars
from tests.support.hudson import hudson

pytestmark = pytest.mark.java

JOB = """\
<project>
  <description>{description}</description>
  <properties>
    <hudson.model.ParametersDefinitionProperty>
      <parameterDefinitions>
        <hudson.model.StringParameterDefinition>
          <name>SAY</name><description>What to say</description><defaultValue>nothing</defaultValue>
        </hudson.model.StringParameterDefinition>
      </parameterDefinitions>
    </hudson.model.ParametersDefinitionProperty>
  </properties>
  <builders>
    <hudson.tasks.Shell><command>{command}</command></hudson.tasks.Shell>
  </builders>
  <publishers>
    <hudson.tasks.junit.JUnitResultArchiver>
      <testResults>*.xml</testResults>
    </hudson.tasks.junit.JUnitResultArchiver>
  </publishers>
</project>
"""
TESTS = """\
cat &gt;t.xml &lt;&lt;END
&lt;testsuite name="t" tests="2" failures="1"&gt;&lt;testcase classname="t" name="good"/&gt;
&lt;testcase classname="t" name="bad"&gt;&lt;failure message="no"/&gt;&lt;/testcase&gt;&lt;/testsuite&gt;
END
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for all tests here; each makes jobs of its own."""
    try:
        with hudson(tmp_path_factory.mktemp("hudson") / "home") as address:
            yield address
    except jars.JavaMissing as missing:
        jars.skip_or_fail(missing)


@pytest.fixture
def connection(url: str) -> Connection:
    return Connection(server="jenkins", url=url, patience=10)


def deployment(name: str, command: str, description: str = "Ours.") -> Deployment:
    """One job whose build is one command."""
    job = Definition(
        name=name,
        text=JOB.format(description=description, command=f"{command}\n{TESTS}"),
        workflows=("push",),
        inputs=("SAY",),
    )
    return Deployment(pipeline="toy", origin="https://git.example.com/toy.git#.", definitions=(job,))


def deploy(connection: Connection, wanted: Deployment) -> list[str]:
    """Bring the server to what is wanted, as a new process would; gives what was done."""
    deploying = Deploying(Rest(connection))
    changes = list(deploying.compare(wanted, prune=False))
    for change in changes:
        deploying.apply(change, force=False)
    return [change.kind for change in changes]


def start(server: Jenkins, wanted: Deployment, number: int, **inputs: str) -> RunRef:
    """Start a build of the only job; Hudson has no queue item to tell, so its number is known beforehand."""
    assert Rest(server.connection).build(wanted.definitions[0].name, inputs) == ""
    ref = RunRef(place=place(wanted), number=number)
    for _ in range(300):
        try:
            server.run(ref)
        except NotOnServer:
            time.sleep(0.1)
        else:
            return ref
    raise AssertionError(f"build {number} did not start within 30 s")


def ended(server: Jenkins, ref: RunRef) -> Run:
    """A build when it is over."""
    for _ in range(300):
        run = server.run(ref)
        if run.over:
            return run
        time.sleep(0.1)
    raise AssertionError(f"{run} is not over after 30 s")


def place(wanted: Deployment) -> Place:
    """Where the only job of a deployment runs."""
    return Place(definitions=wanted.definitions, workflow="push")


def test_it_is_not_taken_for_a_jenkins(connection: Connection) -> None:
    with pytest.raises(ServerError, match="is no Jenkins: check the address"):
        Jenkins(connection).about()


def test_a_job_is_made_left_alone_changed_and_deleted(connection: Connection) -> None:
    wanted = deployment("life", "true")
    assert deploy(connection, wanted) == ["create"]
    assert deploy(connection, wanted) == ["unchanged"]
    assert deploy(connection, deployment("life", "true", "Ours, but better.")) == ["update"]
    (change,) = Deploying(Rest(connection)).compare(wanted, prune=False)
    assert "-description: Ours, but better." in change.difference
    Rest(connection).delete("life")
    Rest(connection).delete("life")
    assert deploy(connection, wanted) == ["create"]


def test_somebodys_edit_is_not_overwritten(connection: Connection) -> None:
    wanted = deployment("edited", "true")
    deploy(connection, wanted)
    rest = Rest(connection)
    rest.reconfig_job("edited", rest.get_job_config("edited").replace("Ours.", "Mine."))
    deploying = Deploying(Rest(connection))
    (change,) = deploying.compare(wanted, prune=False)
    assert (change.kind, change.reason) == ("refused", "somebody changed it on Jenkins")
    with pytest.raises(EditedOnServer):
        deploying.apply(change, force=False)
    assert "Mine." in rest.get_job_config("edited")


def test_an_edit_between_the_look_and_the_write_is_noticed(connection: Connection) -> None:
    deploy(connection, deployment("race", "true"))
    deploying = Deploying(Rest(connection))
    (change,) = deploying.compare(deployment("race", "true", "New."), prune=False)
    rest = Rest(connection)
    rest.reconfig_job("race", rest.get_job_config("race").replace("Ours.", "Theirs."))
    with pytest.raises(EditedOnServer, match="race was changed on Jenkins in the meantime"):
        deploying.apply(change, force=False)


def test_what_the_server_has_no_plugin_for_is_said(connection: Connection) -> None:
    wanted = deployment("pipe", "true")
    (job,) = wanted.definitions
    wanted = replace(wanted, definitions=(replace(job, text="<flow-definition/>"),))
    with pytest.raises(ServerError, match="could not read the definition of pipe; does it lack a plugin"):
        deploy(connection, wanted)
    assert deploy(connection, deployment("pipe", "true")) == ["create"]


def test_a_build_runs_with_its_inputs_and_its_log_and_tests_can_be_read(connection: Connection) -> None:
    wanted = deployment("build", 'echo "said: $SAY"; sleep 1; echo "héllo"')
    deploy(connection, wanted)
    server = Jenkins(connection)
    run = ended(server, start(server, wanted, 1, SAY="a'b; c"))
    assert run.state == "warned"
    text, position, more = "", "", True
    while more:
        chunk = server.log(run.ref, "", position)
        text, position, more = text + chunk.text, chunk.position, chunk.more
    assert "said: a'b; c\n" in text
    assert "héllo" in text
    assert server.log(run.ref, "", position).text == ""
    report = Rest(connection).get_build_test_report("build", 1)
    assert (report["failCount"], report["passCount"]) == (1, 1)


def test_a_build_is_stopped(connection: Connection) -> None:
    wanted = deployment("stop", 'if [ "$SAY" = wait ]; then exec sleep 60; fi')
    deploy(connection, wanted)
    server = Jenkins(connection)
    good = ended(server, start(server, wanted, 1))
    ref = start(server, wanted, 2, SAY="wait")
    assert (good.over, server.run(ref).state) == (True, "running")
    server.cancel(ref)
    assert ended(server, ref).state in (
        "failed",
        "cancelled",
    )  # Hudson says FAILURE where Jenkins says ABORTED
    server.cancel(ref)


def test_reading_pieces_of_a_running_log_gives_all_of_it_once(connection: Connection) -> None:
    wanted = deployment("pieces", "for i in 1 2 3 4 5 6 7 8; do echo line-$i-end; sleep 0.2; done")
    deploy(connection, wanted)
    server = Jenkins(connection)
    ref = start(server, wanted, 1)
    text, position, more = "", "", True
    while more:
        chunk = server.log(ref, "", position)
        text, position, more = text + chunk.text, chunk.position, chunk.more
        time.sleep(0.05)
    assert [text.count(f"\nline-{i}-end\n") for i in range(1, 9)] == [1] * 8


def test_an_answer_that_is_not_as_encoded_as_it_says_is_one_line(connection: Connection) -> None:
    """Hudson's error page for a range in `tree` claims to be compressed and is not."""
    deploy(connection, deployment("broken", "true"))
    with pytest.raises(ServerUnavailable, match=r"the connection to Jenkins at \S+ broke"):
        Rest(replace(connection, patience=0.1)).get("/job/broken/api/json?tree=builds[number]{0,1}")
