"""`pipegen view` as it is served: it follows a run, keeps what a person did, and answers nobody else."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipegen.records import RunView
from tests.support.agents import command
from tests.support.browser import Browser
from tests.support.repositories import make_repository
from tests.views.pictures import house_prices


@contextmanager
def viewing(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`pipegen view` in a folder, and the address that it says."""
    process = command(folder, "view", *options)
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), process.communicate()
        yield line.split()[0], process
    finally:
        process.terminate()
        process.communicate(timeout=20)


def put(folder: Path, run: RunView) -> None:
    """The picture that the page is to show, all at once."""
    (folder / "new.json").write_text(json.dumps(run.as_data()), encoding="utf-8")
    os.replace(folder / "new.json", folder / "run.json")


def with_stage(run: RunView, name: str, **fields: object) -> RunView:
    stages = (replace(stage, **fields) if stage.name == name else stage for stage in run.stages)  # type: ignore[arg-type]
    return replace(run, stages=tuple(stages))


def ask(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read().decode()


def test_it_answers_this_machine_alone_and_takes_nothing(tmp_path: Path) -> None:
    put(tmp_path, house_prices())
    with viewing(tmp_path, "--from", "run.json") as (address, _):
        status, headers, text = ask(address, "/")
        assert (status, headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == (
            200,
            "DENY",
            "nosniff",
        )
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "train@forest" in text
        port = urlsplit(address).port
        assert ask(address, "/", Host=f"localhost:{port}")[0] == 200
        for host in (f"evil.example.com:{port}", "127.0.0.1.evil.example.com", f"evil:127.0.0.1:{port}", "x"):
            status, _, text = ask(address, "/news", Host=host)
            assert (status, "train" in text) == (421, False)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert ask(address, "/", method)[0] == 405
        assert ask(address, "/../../etc/passwd")[0] == 404
        assert ask(address, "/log?stage=../../run.json")[0] == 404


def test_news_are_sent_once(tmp_path: Path) -> None:
    put(tmp_path, house_prices())
    with viewing(tmp_path, "--from", "run.json") as (address, _):
        status, headers, _ = ask(address, "/news")
        assert status == 200
        assert ask(address, "/news", **{"If-None-Match": headers["ETag"]})[0] == 304
        put(tmp_path, replace(house_prices(), seconds=193))  # time goes by: the page counts that itself
        assert ask(address, "/news", **{"If-None-Match": headers["ETag"]})[0] == 304


@pytest.mark.browser
def test_the_page_follows_without_a_reload_and_keeps_what_a_person_did(
    chromium: Browser, tmp_path: Path
) -> None:
    run = house_prices()
    put(tmp_path, run)
    with viewing(tmp_path, "--from", "run.json") as (address, process):
        chromium.open(address)
        chromium.do("window.same = true")
        chromium.one("#tail-s4 > summary").click()
        chromium.one("#find").send_keys("train")
        chromium.do("document.getElementById('n-s3').focus()")
        put(tmp_path, with_stage(run, "train@boosting", state="passed", outcome="ran", seconds=120.0))
        chromium.wait(lambda: "ran" in chromium.one("#s5 .result").text)
        assert chromium.do("return window.same")
        assert chromium.do("return document.activeElement.id") == "n-s3"
        assert chromium.one("#tail-s4").get_attribute("open")
        assert "ValueError" in chromium.one("#tail-s4 pre").text
        assert chromium.texts("tr[data-state] .name") == ["train@lasso", "train@forest", "train@boosting"]
        assert chromium.one("#says").get_attribute("textContent").endswith("1 failed, 3 waiting, 5 passed")
        assert chromium.faults() == []
        before = chromium.one(".state [data-began]").text
        chromium.wait(lambda: chromium.one(".state [data-began]").text != before)
        put(tmp_path, replace(run, state="failed", seconds=200))
        chromium.wait(lambda: chromium.driver.title.startswith("✗"))
        assert chromium.messages() == []
        process.terminate()
        process.wait(10)
        chromium.wait(lambda: "connection is lost" in chromium.one("footer").text)
        assert chromium.one("#s3 .name").is_displayed()


@pytest.mark.browser
def test_a_run_here_is_followed_to_its_end_with_its_logs(
    chromium: Browser, tmp_path: Path, template: Path
) -> None:
    text = (
        "stages:\n"
        "  first: {cmd: 'echo hello; while [ ! -e go ]; do sleep 0.1; done; echo more; touch a', outs: [a]}\n"
        "  second: {cmd: 'sleep 0.5; touch b', deps: [a], outs: [b]}\n"
    )
    folder = make_repository(tmp_path / "repository", {"dvc.yaml": text}, template)
    process = command(folder, "run")
    try:
        assert process.stdout
        while not process.stdout.readline().startswith("first: started"):
            pass
        with viewing(folder) as (address, _):
            chromium.open(address)
            assert "running" in chromium.one("#s0 .result").text
            chromium.one("#log-s0 > summary").click()
            chromium.wait(lambda: chromium.one("#log-s0 pre").text.endswith("\nhello"))
            (folder / "go").touch()
            chromium.wait(lambda: chromium.one("#log-s0 pre").text.endswith("\nhello\nmore"))
            chromium.wait(lambda: "passed" in chromium.one(".state").text)
            assert "ran" in chromium.one("#s1 .result").text
            chromium.picture("live", dark=True)
            assert chromium.faults() == []
    finally:
        (folder / "go").touch()
        process.communicate(timeout=60)
