"""GoCD's bring-up kit: what can be told without a container engine."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from tests.conftest import CONTRACTS
from tests.kits.kit import TOP, needs, passwords, services

KIT = TOP / "gocd"
VALUES = {name: f'{name.lower()} "&<$é' for name in passwords("gocd")}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server starts with."""
    folder = tmp_path_factory.mktemp("kit") / "server"
    subprocess.run([KIT / "server/prepare", folder], env={**os.environ, **VALUES}, check=True)
    return folder


def test_passwords_are_hashed_as_the_plugin_reads_them(prepared: Path) -> None:
    """`$ALGORITHM$ITERATIONS$BITS$SALT$HASH`, the salt taken as text, the hash in hexadecimal."""
    users = dict(line.split(":", 1) for line in (prepared / "password.properties").read_text().splitlines())
    assert set(users) == {"admin", "pipegen", "lead"}
    for user, variable in {
        "admin": "ADMIN_PASSWORD",
        "pipegen": "PIPEGEN_PASSWORD",
        "lead": "LEAD_PASSWORD",
    }.items():
        _, algorithm, iterations, bits, salt, digest = users[user].split("$")
        assert algorithm == "PBKDF2WithHmacSHA256"
        again = hashlib.pbkdf2_hmac(
            "sha256", VALUES[variable].encode(), salt.encode(), int(iterations), int(bits) // 8
        )
        assert again.hex() == digest


def test_secrets_can_be_decrypted_and_are_those_that_the_flagship_asks(prepared: Path) -> None:
    vault = json.loads((prepared / "secrets.json").read_text())
    key = base64.b64decode(vault["secret_key"])
    shown = {}
    for name, value in vault["secrets"].items():
        kind, vector, cipher = value.split(":")
        assert kind == "AES"
        command = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", key.hex(), "-iv"]
        shown[name] = subprocess.run(
            [*command, base64.b64decode(vector).hex()],
            input=base64.b64decode(cipher),
            capture_output=True,
            check=True,
        ).stdout.decode()
    assert shown["id"] == VALUES["STORE_KEY"]
    assert shown["key"] == VALUES["STORE_SECRET"]
    (config,) = etree.parse(prepared / "cruise-config.xml").findall("secretConfigs/secretConfig")
    asked = needs("gocd", "secret_config")
    assert set(asked) == {config.get("id")}
    assert {key for keys in asked.values() for key in keys.replace(",", " ").split()} <= set(shown)


@pytest.mark.contracts
def test_the_configuration_is_valid_for_the_server(prepared: Path) -> None:
    schema = etree.XMLSchema(etree.parse(CONTRACTS / "gocd/cruise-config.xsd"))
    schema.assertValid(etree.parse(prepared / "cruise-config.xml"))


def test_pipegens_user_may_run_the_flagships_group_and_is_no_administrator(prepared: Path) -> None:
    config = etree.parse(prepared / "cruise-config.xml")
    assert config.find("server").get("agentAutoRegisterKey") == VALUES["REGISTER_KEY"]
    assert [user.text for user in config.findall("server/security/admins/user")] == ["admin"]
    group = config.find("pipelines[@group='pricing']/authorization")
    assert "pipegen" in [user.text for user in group.findall("operate/user")]
    assert group.find("admins") is None


def test_agents_have_what_the_flagship_asks() -> None:
    agents = [each["environment"] for name, each in services("gocd").items() if name.startswith("agent")]
    have = {r for agent in agents for r in agent["AGENT_AUTO_REGISTER_RESOURCES"].split(",")}
    assert set(needs("gocd", "resource")) <= have
    assert not needs("gocd", "elastic_profile")


def test_the_configuration_is_laid_down_once_and_users_each_time(prepared: Path, tmp_path: Path) -> None:
    start = [KIT / "server/first-start"]
    env = {**os.environ, "KIT": str(prepared), "CONFIG": str(tmp_path)}
    subprocess.run(start, env=env, check=True)
    (tmp_path / "cruise-config.xml").write_text("changed by the server")
    (tmp_path / "password.properties").unlink()
    subprocess.run(start, env=env, check=True)
    assert (tmp_path / "cruise-config.xml").read_text() == "changed by the server"
    assert (tmp_path / "password.properties").read_bytes() == (prepared / "password.properties").read_bytes()
