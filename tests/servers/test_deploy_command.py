"""`pipegen deploy` against a controller that remembers: what it prints, sends and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.exchanges import needs_recordings
from tests.servers.jenkins_model import JenkinsModel
from tests.servers.replay import Faults
from tests.servers.toy import DESCRIPTION, PLACE, ok, running
from tests.support.cli import pipegen

pytestmark = [needs_recordings, pytest.mark.usefixtures("soon")]


# ---------------------------------------------------------------------------------------------- deploy


def test_deploy_makes_all_then_nothing_then_the_one_change_and_prunes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel()
    with running(model, monkeypatch) as server:
        first = ok(pipegen("deploy", "jenkins", "--yes", cwd=folder))
        assert "Jenkins 2.579" in first and "as admin" in first
        assert "+ folder ml\n" in first and "created folder ml/toys\n" in first
        assert f"+ multibranch job {PLACE}\n    +kind: multibranch job\n" in first
        assert "+timer: TZ=Europe/Paris ⏎ 0 6 * * 1-5" in first
        assert "+parameter: size (choice) = small | large" in first
        assert set(model.jobs) == {"ml", "ml/toys", PLACE, f"{PLACE}-nightly", f"{PLACE}-try"}

        asked = len(server.received)
        again = ok(pipegen("deploy", "--yes", cwd=folder))
        assert again.endswith("nothing to do: 3 unchanged\n")
        gets = [got.target for got in server.received[asked:] if "/job/" in got.target]
        assert len(gets) == 3 and all(target.endswith("config.xml") for target in gets)

        text = DESCRIPTION.replace("0 6 *", "30 5 *").replace(
            '  push: {on: {push: {branches: [main, "feature/*"]}}}\n', ""
        )
        (folder / "pipegen.yaml").write_text(text)
        dry = pipegen("deploy", "--dry-run", "--prune", cwd=folder)
        assert "dry run, nothing was changed: 1 to update, 1 to delete, 1 unchanged" in ok(dry), dry.text
        assert "-timer: TZ=Europe/Paris ⏎ 0 6 * * 1-5\n    +timer: TZ=Europe/Paris ⏎ 30 5 * * 1-5" in dry.out
        assert "run `pipegen generate`" in dry.err and "ci/Jenkinsfile.nightly" in dry.err
        data = json.loads(pipegen("deploy", "--json", "--yes", "--prune", cwd=folder).out)
        assert data["applied"] and [c["kind"] for c in data["changes"]] == ["update", "unchanged", "delete"]
        assert PLACE not in model.jobs and "30 5 * * 1-5" in model.jobs[f"{PLACE}-nightly"].config


def test_deploy_touches_nothing_that_is_not_its_own_or_was_edited(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel()
    with running(model, monkeypatch) as server:
        ok(pipegen("deploy", "--yes", cwd=folder))
        job = model.jobs[f"{PLACE}-nightly"]
        before = job.config
        job.config = before.replace("refs/heads/main", "refs/heads/mine")
        (folder / "pipegen.yaml").write_text(DESCRIPTION.replace("default: small", "default: large"))
        writes = server.count("POST", "config.xml")
        refused = pipegen("deploy", "--yes", cwd=folder)
        assert refused.code == 7
        assert f"! job {PLACE}-nightly: somebody changed it on Jenkins\n" in refused.out
        assert "-branch: refs/heads/mine\n    +branch: refs/heads/main\n" in refused.out
        assert "nothing was changed" in refused.err and server.count("POST", "config.xml") == writes
        assert "overwritten job ml/toys/toy-nightly" in ok(pipegen("deploy", "--yes", "--force", cwd=folder))
        assert "refs/heads/main" in job.config and "large" in model.jobs[f"{PLACE}-try"].config

        other = folder.parent / "other"
        (other / ".git").mkdir(parents=True)
        (other / "pipegen.yaml").write_text(DESCRIPTION.replace("toy.git", "other.git"))
        theirs = pipegen("deploy", "--yes", cwd=other)
        assert theirs.code == 7
        assert "it belongs to the description at https://git.example.com/toy.git#." in theirs.out
        job.config = "<flow-definition><description>by hand</description></flow-definition>"
        assert "pipegen did not make it" in pipegen("deploy", "-n", cwd=folder).out


def test_what_a_run_writes_back_into_a_job_is_nobodys_edit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel()
    with running(model, monkeypatch):
        ok(pipegen("deploy", "--yes", cwd=folder))
        job = model.jobs[f"{PLACE}-try"]
        prop = "hudson.model.ParametersDefinitionProperty"
        added = f"<properties><{prop}><parameterDefinitions/></{prop}></properties>"
        start, end = (
            job.config.index("<properties>"),
            job.config.index("</properties>") + len("</properties>"),
        )
        job.config = job.config[:start] + added + job.config[end:]
        text = ok(pipegen("deploy", "--yes", cwd=folder))
        assert f"updated job {PLACE}-try" in text and "choices" in job.config


def test_deploy_says_what_is_missing_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = JenkinsModel()
    model.labels, model.linted = (
        {},
        "Errors encountered validating Jenkinsfile:\nWorkflowScript: 10: expecting '}'\n",
    )
    del model.plugins["timestamper"]
    model.plugins["workflow-basic-steps"] = "948.v2c72a_091b_b_68"
    with running(model, monkeypatch):
        outcome = pipegen("deploy", "--yes", cwd=folder)
        assert outcome.code == 7 and not model.jobs
        for words in (
            "missing: the plugin timestamper is missing",
            "missing: the plugin workflow-basic-steps is too old: 948.v2c72a_091b_b_68\n    update it to 994 or later",
            "missing: Jenkins' linter rejects Jenkinsfile: WorkflowScript: 10: expecting '}'",
            "warning: no agent has the label 'linux': prepare-to-train, start would wait for ever",
            "nothing was changed, since no run could succeed: 5 things are missing",
        ):
            assert words in outcome.err, outcome.err
        assert "created" in ok(pipegen("deploy", "--yes", "--force", cwd=folder))


def test_deploy_asks_and_does_nothing_where_nobody_can_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = JenkinsModel()
    with running(model, monkeypatch):
        outcome = pipegen("deploy", cwd=folder)
    assert (outcome.code, model.jobs) == (1, {})
    assert "Apply 5 changes to Jenkins? Say --yes" in outcome.err


@pytest.mark.parametrize("seed", range(3))
def test_deploy_makes_each_thing_once_over_a_bad_network(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    model = JenkinsModel()
    faults = Faults(seed, refuse=0.1, drop=0.15, truncate=0.1, unavailable=0.1, delay=0.01)
    with running(model, monkeypatch, faults):
        ok(pipegen("deploy", "--yes", cwd=folder))
        assert len(faults.happened) > 2
        assert "nothing to do: 3 unchanged" in ok(pipegen("deploy", "--yes", cwd=folder))
    assert len(model.jobs) == 5


def test_deploy_all_goes_on_where_one_fails_and_is_idempotent(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = folder.parent / "many"
    for number in range(20):
        (many / f"p{number}").mkdir(parents=True)
        text = DESCRIPTION.replace("name: toy", f"name: toy{number}")
        (many / f"p{number}" / "pipegen.yaml").write_text(
            text.replace("stages:", "stagess:") if number == 3 else text
        )
    model = JenkinsModel()
    with running(model, monkeypatch) as server:
        first = pipegen("deploy", "--all", many, "--yes", cwd=folder)
        assert first.code == 7 and first.out.count("error:") == 0
        assert "20 descriptions, 59 created, 1 failed" in first.out
        assert f"{many}/p3/pipegen.yaml: " in first.err and "did you mean 'stages'" in first.err
        assert len(model.jobs) == 2 + 19 * 3
        asked = len(server.received)
        again = pipegen("deploy", "--all", many, "--yes", cwd=folder)
        assert "20 descriptions, 57 unchanged, 1 failed" in again.out
        assert len(server.received) - asked <= 57 + 2


def test_a_server_that_the_description_is_not_generated_for_gets_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEGEN_GOCD_URL", "http://127.0.0.1:9/go")
    outcome = pipegen("deploy", "gocd", "--yes", cwd=folder)
    assert outcome.code == 3
    assert "the description is generated for jenkins; name gocd under `targets`" in outcome.err
