"""`pipegen view` of a run on a server: the same page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.exchanges import needs_recordings
from tests.servers.jenkins_model import JenkinsModel
from tests.servers.toy import STAGES, ok, running
from tests.support.cli import pipegen

pytestmark = [needs_recordings, pytest.mark.usefixtures("soon")]


def test_the_page_of_a_run_on_jenkins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(JenkinsModel(STAGES), monkeypatch):
        ok(pipegen("deploy", "--yes", cwd=folder))
        ok(pipegen("trigger", "nightly", "--follow", cwd=folder))
        assert ok(pipegen("view", "nightly", "--html", "out/run.html", cwd=folder)) == "wrote out/run.html\n"
    text = (folder / "out" / "run.html").read_text(encoding="utf-8")
    assert 'aria-label="train: ran, ' in text
    assert "<dt>Where</dt>" in text
    assert ">Jenkins</a>" in text
    assert 'href="http://127.0.0.1:' in text
