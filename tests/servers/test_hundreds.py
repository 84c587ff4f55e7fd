"""Hundreds of descriptions on one server: few requests, each thing once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.exchanges import needs_recordings
from tests.servers.jenkins_model import JenkinsModel
from tests.servers.toy import DESCRIPTION, ok, running
from tests.support.cli import pipegen

pytestmark = [needs_recordings, pytest.mark.usefixtures("soon")]
NUMBER = 30


def test_a_first_deployment_lists_what_is_there_and_a_second_asks_once_for_each_job(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pipegen.yaml").unlink()
    text = DESCRIPTION.split("  nightly:")[0]
    for number in range(NUMBER):
        (folder / f"p{number:02}").mkdir()
        (folder / f"p{number:02}" / "pipegen.yaml").write_text(
            text.replace("name: toy", f"name: p{number:02}")
        )
    model = JenkinsModel()
    with running(model, monkeypatch) as server:
        ok(pipegen("deploy", "jenkins", "--all", ".", "--yes", cwd=folder))
        assert len(model.jobs) == NUMBER + 2  # and the two folders
        assert server.count("POST", "createItem") == NUMBER + 2
        assert server.count("GET", "config.xml") < NUMBER
        server.received.clear()
        assert f"{NUMBER} unchanged" in ok(pipegen("deploy", "jenkins", "--all", ".", "--yes", cwd=folder))
        assert server.count("GET", "config.xml") == NUMBER
        assert len(server.received) <= NUMBER + 3
        del model.jobs["ml/toys/p07"]
        assert "1 created" in ok(pipegen("deploy", "jenkins", "--all", ".", "--yes", cwd=folder))
