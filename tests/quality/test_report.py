"""`pipegen report` from end to end: in jobs on agents of their own, by mail, on a pull request, and for a person."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from pipegen.plan.merge import merge
from pipegen.project import Project
from tests.quality.houses import DESCRIPTION, Houses, make_houses, scores
from tests.support.agents import Build
from tests.support.cli import Outcome, pipegen
from tests.support.forge import TOKEN, Served, serving_forge
from tests.support.post import Post, free_port, serving
from tests.support.repositories import sh

PASSWORD = "hunter2-of-the-mailer"
PLOTS = """\
    plots:
      - history.csv: {template: linear, x: step, y: loss, title: Loss}
      - picture.png
"""


def described(mail: int, forge: str) -> str:
    """The houses with mail and forge on these addresses, tests and plots."""
    text = DESCRIPTION.replace("cp scores.txt model.pkl", "cp scores.txt model.pkl; sh plots.sh")
    text = text.replace(
        "  use:\n", f'{PLOTS}    ci: {{tests: ["test -s model.pkl", "test -s metrics.json"]}}\n  use:\n'
    )
    text = text.replace(
        "deps: [scores.txt, groups.txt]", "deps: [scores.txt, groups.txt]\n    params: [rate]"
    )
    text = text[: text.index("workflows:")]
    return f"""{text}mail: {{server: "smtp://127.0.0.1:{mail}", from: ci@example.com, secrets: [smtp]}}
forge: {{type: github, url: "{forge}", secrets: [forge]}}
repository: "https://git.example.com/pricing/houses.git"
secrets: {{smtp: {{env: [SMTP_USER, SMTP_PASSWORD]}}, forge: {{env: [FORGE_TOKEN]}}}}
workflows:
  push: {{on: {{push: {{branches: [main]}}}}, gates: [good, fair, no_worse], report: {{mail: [anna@example.com]}}}}
  review: {{on: pull_request, servers: [jenkins], gates: [good], comment: metrics}}
"""


class World:
    """Houses whose runs are reported: a first one, then one with another price, rate and commit."""

    def __init__(self, houses: Houses, forge: Served) -> None:
        self.houses, self.forge, self.port = houses, forge, free_port()
        self.post = Post()
        origin = houses.origin
        (origin / "plots.sh").write_text(
            "printf 'step,loss\\n1,3\\n2,2.5\\n3,2.25\\n' > history.csv\n"
            "printf '\\211PNG\\r\\n\\032\\n0000' > picture.png\n"
        )
        (origin / "params.yaml").write_text("rate: 0.1\n")
        (origin / "pipegen.yaml").write_text(described(self.port, forge.url))
        assert pipegen("generate", "--target", "dvc", cwd=origin).code == 0
        sh(origin, "git", "add", "-A")
        sh(origin, "git", "commit", "-qm", "reports")
        self.first = self.built("first", 1)
        self.base = houses.commit
        (origin / "params.yaml").write_text("rate: 0.2\n")
        houses.write(scores=scores(r2=0.9, rmse=90))
        self.second = self.built("second", 2)

    def built(self, name: str, number: int) -> Build:
        build = Build(self.houses.folder / name, self.houses.origin)
        build.run(env={"BUILD_URL": f"http://ci.example.com/job/houses/{number}/"})
        return build

    def agent(self, build: Build, *, fragments: bool = True) -> Path:
        folder = build.agent()
        sh(folder, "git", "checkout", "-q", self.base if build is self.first else "HEAD")
        if fragments:
            build.give("use", folder)
        return folder

    def job(self, agent: Path, command: str, *words: str, workflow: str = "push", **env: str) -> Outcome:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pipegen.views.mail.PATIENCE", 0.2)
            patch.setenv("PIPEGEN_PLAN", merge([Project.open(agent).plan(workflow)]).digest)
            patch.setenv("PIPEGEN_WORKFLOWS", workflow)
            patch.setenv("SMTP_USER", "ci")
            patch.setenv("SMTP_PASSWORD", PASSWORD)
            patch.setenv("FORGE_TOKEN", TOKEN)
            for name, value in env.items():
                patch.setenv(name, value)
            return pipegen(command, *words, "--workflow", workflow, cwd=agent)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, serving_forge("github") as forge:
        for name in ("PIPEGEN_PLAN", "PIPEGEN_WORKFLOWS", "CHANGE_FORK", "PIPEGEN_FOREIGN", "CHANGE_ID"):
            patch.delenv(name, raising=False)
        houses = make_houses(tmp_path_factory.mktemp("report"), template, patch)
        yield World(houses, forge)


def knows(_: Any, __: Any, ___: Any, ____: Any, data: Any) -> AuthResult:
    """The mail server's only user."""
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ci", PASSWORD.encode())
    return AuthResult(success=good, handled=False)


def said(agent: Path) -> str:
    return (agent / ".pipegen" / "report" / "report.txt").read_text()


def words(agent: Path) -> str:
    """The text without its columns."""
    return " ".join(said(agent).split())


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH while not requiring TLS:UserWarning"
)  # it stays on this machine
def test_first_and_second_report_of_a_workflow(world: World) -> None:
    first = world.agent(world.first)
    one = {"BUILD_URL": "http://ci.example.com/job/houses/1/", "BUILD_NUMBER": "1"}
    assert world.job(first, "gate", **one).code == 0
    away = world.job(first, "report", **one)
    assert away.code == 7
    assert "not mailed: the mail server 127.0.0.1" in away.err and "The report is written" in away.err
    text = said(first)
    assert text.startswith("✓ houses push 1: all gates passed that could be compared\n")
    assert "This is the first report of push: there is nothing to compare with." in text
    assert "metrics.json:r2 0.8 metrics.json:rmse 100 " in words(first)
    assert "2 tests of 1 stage: 2 passed" in text
    assert "✓ train ran" in words(first)
    assert "groups.yaml:*.rmse by group, highest first (gate fair)" in text
    assert words(first).index("south 110 ") < words(first).index("north 100 ")

    second = world.agent(world.second)
    two = {"BUILD_URL": "http://ci.example.com/job/houses/2/", "BUILD_NUMBER": "2"}
    assert world.job(second, "gate", **two).code == 0
    with serving(world.post, world.port, authenticator=knows, auth_required=True, auth_require_tls=False):
        done = world.job(second, "report", **two)
        again = world.job(second, "report", **two)
    assert (done.code, again.code) == (0, 0), done.text
    assert "mailed to anna@example.com" in done.out
    text = said(second)
    assert "What changed since the last report (" in text and world.base[:10] in text
    assert " A: change" in text or ": change\n" in text
    assert "  parameter params.yaml:rate: 0.1 → 0.2\n" in text
    before, now = len(scores()), len(scores(r2=0.9, rmse=90))
    assert f"  data scores.txt: {before} bytes → {now} bytes\n" in text
    assert "▲ +0.1 (+12.5%)" in text and "▼ -10 (-10%)" in text
    assert "▁█" in text and "█▁" in text  # the sparklines of two runs
    page = (second / ".pipegen" / "report" / "index.html").read_text()
    assert 'class="better"' in page and 'class="worse"' not in page
    assert '<path class="line c0" d="M' in page and "data:image/png;base64," in page
    assert (second / ".pipegen" / "report" / "pictures" / "2.png").read_bytes().startswith(b"\x89PNG")
    (recipients, got), (_, copy) = world.post.got
    assert recipients == ["anna@example.com"]
    assert got["Subject"] == "✓ houses push 2: all gates passed"
    assert got["Message-ID"] == copy["Message-ID"]
    assert got.get_body(("plain",)).get_content().replace("\r\n", "\n") == text  # type: ignore[union-attr]
    shown = got.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "cid:plot-2" in shown and "<style" not in shown and "<svg" not in shown
    for kept in (text, page, shown, done.text, away.text):
        assert PASSWORD not in kept


def test_a_pull_request_is_compared_with_its_target(world: World) -> None:
    sh(world.houses.origin, "git", "branch", "-f", "release", world.base)
    agent = world.agent(world.second)
    env = {
        "BUILD_URL": "http://ci.example.com/job/review/7/",
        "CHANGE_ID": "7",
        "CHANGE_TARGET": "release",
        "CHANGE_BRANCH": "better",
    }
    red = world.job(agent, "report", workflow="review", **env)
    assert red.code == 0, red.text
    assert "Don't merge yet: find out why the gates were not judged." in red.out
    assert world.job(agent, "gate", workflow="review", **env).code == 0
    done = world.job(agent, "report", workflow="review", **env)
    assert done.code == 0, done.text
    (text,) = world.forge.double.texts  # the same comment, written anew
    assert "### ✓ houses review&#58; all gates passed" not in text.partition("\n")[0]
    assert "all gates passed" in text and "Review the change and merge it" in text
    assert "| r2 <sub>metrics&#46;json</sub> | 0&#46;8 | **0&#46;9** | ▲ +0&#46;1 (+12&#46;5&#37;" in text
    assert "(http://ci.example.com/job/review/7/)" in text
    report = said(agent)
    assert f"What changed since release ({world.base[:10]})" in report
    assert "parameter params.yaml:rate: 0.1 → 0.2" in report
    kept = world.houses.remote / "pipegen" / "reports" / "houses"
    assert not (kept / "review").exists()


def test_a_pull_request_from_outside_gets_no_secret_and_is_no_failure(world: World) -> None:
    agent = world.agent(world.second)
    outside = {"CHANGE_ID": "8", "CHANGE_TARGET": "release", "CHANGE_FORK": "stranger", "FORGE_TOKEN": ""}
    done = world.job(agent, "report", workflow="review", **outside)
    assert done.code == 0
    assert "no comment: a pull request from outside is built without secrets" in done.out
    world.forge.double.refusals = [(403, {}, {"message": "Resource not accessible"})]
    done = world.job(
        agent, "report", workflow="review", **{**outside, "FORGE_TOKEN": TOKEN, "CHANGE_ID": "7"}
    )
    assert done.code == 0, done.text
    inside = world.job(agent, "report", workflow="review", CHANGE_ID="7", FORGE_TOKEN="")
    assert inside.code == 7
    assert "no comment: FORGE_TOKEN is not set, which the secrets of `forge` name" in inside.err
    none = world.job(agent, "report", workflow="review")
    assert none.code == 0
    assert "this build is of no pull request" in none.out
    odd = world.job(agent, "report", workflow="review", PIPEGEN_PULL_REQUEST="7; rm -rf /")
    assert "'7; rm -rf /' is no number of a pull request" in odd.out


def test_what_is_missing_is_said(world: World) -> None:
    agent = world.agent(world.first, fragments=False)  # no fragment came, and nothing ran here
    alone = world.job(agent, "report", "--no-send")
    assert alone.code == 0, alone.text
    assert alone.out.startswith("✗ houses push: the gates were not judged\n")
    assert "metrics.json is made by train, of which no lock fragment in" in words(agent)
    assert "No metrics are known." in said(agent)
    agent = world.agent(world.first)
    config = agent / ".dvc" / "config"
    config.write_text(config.read_text().replace(str(world.houses.remote), str(agent / "no" / "remote")))
    shutil.rmtree(agent / ".dvc" / "cache", ignore_errors=True)
    gone = world.job(agent, "report", "--no-send", BUILD_URL="http://ci.example.com/job/houses/1/")
    assert gone.code == 0, gone.text
    assert "metrics.json can't be had:" in words(agent)
    assert "history.csv" in words(agent) and "It can't be shown" in words(agent)
    assert "south 110 " in words(agent)  # what travels in a fragment is there


def test_a_person_reports_what_is_here(world: World) -> None:
    agent = world.houses.folder / "person"
    sh(world.houses.folder, "git", "clone", "-q", str(world.houses.origin), str(agent))
    bare = pipegen("report", cwd=agent)
    assert bare.code == 0, bare.text
    assert "No run is known here: `pipegen run` runs the stages." in said(agent)
    assert pipegen("run", cwd=agent).code == 0
    assert pipegen("gate", "good", cwd=agent).code == 0
    done = pipegen("report", "--out", "somewhere", cwd=agent)
    assert done.code == 0
    assert (agent / "somewhere" / "index.html").is_file()
    other = pipegen("report", "-w", "push", cwd=agent)
    assert "not sent: `--send` does so outside of a server's job" in other.out
    assert json.loads(next((agent / ".pipegen" / "reports" / "push").glob("*.json")).read_text())[
        "values"
    ] == {
        "metrics.json:r2": 0.9,
        "metrics.json:rmse": 90.0,
        "groups.yaml:north.rmse": 100.0,
        "groups.yaml:south.rmse": 110.0,
    }
    unknown = pipegen("report", "-w", "pish", cwd=agent)
    assert unknown.code == 3 and "did you mean 'push'?" in unknown.err
