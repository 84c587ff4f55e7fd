"""Jenkins' bring-up kit: what can be told without a container engine."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import CONTRACTS
from tests.kits.kit import TOP, needs

KIT = TOP / "jenkins"
CONFIG = yaml.safe_load((KIT / "controller/jenkins.yaml").read_text())


def plugins() -> dict[str, str]:
    """Every plugin with its version."""
    lines = (KIT / "controller/plugins.txt").read_text().splitlines()
    return dict(line.split(":") for line in lines if not line.startswith("#"))


def permissions(user: str) -> set[str]:
    """What a user may do."""
    entries = CONFIG["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]
    (found,) = [entry["user"]["permissions"] for entry in entries if entry["user"]["name"] == user]
    return set(found)


def test_every_plugin_that_the_flagship_needs_is_there() -> None:
    assert set(needs("jenkins", "plugin")) <= set(plugins())


@pytest.mark.contracts
def test_plugins_are_those_that_were_tried() -> None:
    recorded = json.loads((CONTRACTS / "jenkins/ctl-a-plugins.json").read_text())["response"]["body"][
        "plugins"
    ]
    tried = {plugin["shortName"]: plugin["version"] for plugin in recorded}
    assert {k: v for k, v in plugins().items() if tried.get(k) != v} == {
        "configuration-as-code": plugins()["configuration-as-code"]
    }


def test_users_have_the_least_they_need_and_no_password_of_their_own() -> None:
    realm = CONFIG["jenkins"]["securityRealm"]["local"]
    assert realm["allowsSignup"] is False
    assert all(user["password"].startswith("${") for user in realm["users"])
    assert not {"Overall/Administer", "Credentials/Create", "Agent/Configure"} & permissions("pipegen")
    assert permissions("agent") == {"Overall/Read", "Agent/Connect"}
    assert "Overall/Administer" in permissions("admin")


def test_the_controller_builds_nothing_and_the_agent_has_the_flagships_labels() -> None:
    assert CONFIG["jenkins"]["numExecutors"] == 0
    (node,) = CONFIG["jenkins"]["nodes"]
    assert set(needs("jenkins", "label")) <= set(node["permanent"]["labelString"].split())


def test_the_flagships_credentials_are_there() -> None:
    kinds = {"username_password": "usernamePassword", "string": "string"}
    (domain,) = CONFIG["credentials"]["system"]["domainCredentials"]
    there = {entry[kind]["id"]: kind for entry in domain["credentials"] for kind in entry}
    asked = needs("jenkins", "credentials")
    assert asked
    assert {name: kinds[detail] for name, detail in asked.items()}.items() <= there.items()
    assert "${" in yaml.safe_dump(domain)


@contextmanager
def controller(page: str, asked: list[tuple[str, str, str | None]]) -> Iterator[str]:
    """Answers as a controller does to an agent, and as the store does to a new bucket."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path, self.headers.get("Authorization")))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode() if self.path.endswith(".jnlp") else b"jar")

        do_PUT = do_GET

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.contracts
def test_the_agent_connects_with_the_secret_that_the_controller_gives(tmp_path: Path) -> None:
    page = json.loads((CONTRACTS / "jenkins/99c-agent-jnlp.json").read_text())["response"]["body"]
    java = tmp_path / "bin/java"
    java.parent.mkdir()
    java.write_text('#!/bin/sh\necho "$@" >args; env >env; cat secret\n')
    java.chmod(0o755)
    asked: list[tuple[str, str, str | None]] = []
    with controller(page, asked) as url:
        done = subprocess.run(
            [KIT / "agent/connect"],
            cwd=tmp_path,
            env={
                "PATH": f"{java.parent}:{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "JENKINS_URL": url,
                "AWS_ENDPOINT_URL": url,
                "AGENT_NAME": "linux",
                "AGENT_PASSWORD": "hunter2",
            },
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "0" * 64 + "\n"
    assert [(method, path) for method, path, _ in asked] == [
        ("PUT", "/pricing"),
        ("GET", "/computer/linux/jenkins-agent.jnlp"),
        ("GET", "/jnlpJars/agent.jar"),
    ]
    assert asked[1][2] == "Basic YWdlbnQ6aHVudGVyMg=="
    arguments = (tmp_path / "args").read_text()
    assert f"-url {url} -name linux -secret @secret -webSocket" in arguments
    assert "hunter2" not in arguments + (tmp_path / "env").read_text()
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
