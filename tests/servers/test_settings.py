"""Where servers and credentials are found: files, environment, netrc, keyring; and what is refused."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

from pipegen.errors import ServerError
from pipegen.servers.connection import Connection
from pipegen.servers.settings import choose, settings

KNOWN = ("jenkins", "gocd")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a folder `ml`, and a home of its own."""
    for name in [name for name in os.environ if name.startswith("PIPEGEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)
    (tmp_path / "repo" / "ml").mkdir(parents=True)
    (tmp_path / "home" / ".config").mkdir(parents=True)
    return tmp_path / "repo"


def found(root: Path, server: str = "jenkins") -> Connection:
    return settings(root / "ml", root, KNOWN).connection(server)


def write(path: Path, **words: object) -> None:
    """A `pipegen.toml` for Jenkins."""
    lines = [
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in words.items()
    ]
    path.write_text("# servers\n[servers.jenkins]\n" + "\n".join(lines) + "\n")


def test_the_nearer_file_wins_word_by_word_and_the_environment_over_all(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root.parent / "home" / ".config" / "pipegen.toml", url="https://home/", user="me", timeout=5)
    assert (found(root).url, found(root).user, found(root).timeout) == ("https://home", "me", 5)
    write(root / "pipegen.toml", url="https://root/jenkins", ca="ci.pem", at_once=3)
    connection = found(root)
    assert (connection.url, connection.user, connection.at_once) == ("https://root/jenkins", "me", 3)
    assert connection.ca == str(root / "ci.pem")
    write(root / "ml" / "pipegen.toml", url="https://ml")
    write(root.parent / "pipegen.toml", url="https://outside")
    assert found(root).url == "https://ml"
    monkeypatch.setenv("PIPEGEN_JENKINS_URL", "http://env:8080/")
    monkeypatch.setenv("PIPEGEN_JENKINS_TIMEOUT", "7.5")
    assert (found(root).url, found(root).timeout) == ("http://env:8080", 7.5)


def test_a_token_in_a_file_is_refused_with_its_place_and_without_it(root: Path) -> None:
    write(root / "pipegen.toml", url="https://ci", token="s3cret")
    with pytest.raises(ServerError) as failure:
        found(root)
    assert failure.value.message.startswith(f"{root}/pipegen.toml:4:1: a token has no place in a file: set ")
    assert "PIPEGEN_JENKINS_TOKEN" in failure.value.message and "s3cret" not in failure.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[servers.jenkinz]\n", "pipegen.toml:1:10: there is no server 'jenkinz'; did you mean 'jenkins'?"),
        ("[servers.jenkins]\nurll = 'x'\n", "pipegen.toml:2:1: unknown word 'urll'; did you mean 'url'?"),
        ("[servers.jenkins]\nurl = 5\n", "pipegen.toml:2:1: url must be text in quotes"),
        ("[servers.jenkins]\nat_once = true\n", "at_once must be a whole number"),
        ("[jenkins]\nurl = 'x'\n", "pipegen.toml:1:2: only [servers.NAME] may stand in pipegen.toml"),
        ("servers = 1\n", "write a section for each server"),
        ("[servers.jenkins]\nurl = \n", "pipegen.toml is no TOML: "),
        ("[servers.jenkins]\nurl = 'ftp://x'\n", "'ftp://x' is no address of a server"),
        ("[servers.jenkins]\nurl = 'https://me:pw@x'\n", "the address of jenkins holds a user or password"),
        ("", "where is jenkins? Set PIPEGEN_JENKINS_URL, or `url` under [servers.jenkins] in pipegen.toml"),
    ],
)
def test_a_file_that_is_wrong_is_said_with_the_place(root: Path, text: str, says: str) -> None:
    (root / "pipegen.toml").write_text(text)
    with pytest.raises(ServerError) as failure:
        found(root)
    assert says in failure.value.message and "pw" not in failure.value.message.replace("password", "")


def test_credentials_come_from_environment_then_netrc_then_keyring(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEGEN_JENKINS_URL", "https://ci.example.com/jenkins")
    assert (found(root).user, found(root).secret) == ("", "")
    ring = types.SimpleNamespace(get_password=lambda url, user: f"ring-of-{user}@{url}")
    monkeypatch.setitem(sys.modules, "keyring", ring)
    assert found(root).secret == "ring-of-token@https://ci.example.com/jenkins"
    netrc = root.parent / "home" / ".netrc"
    netrc.write_text("machine ci.example.com login bot password from-netrc\n")
    netrc.chmod(0o600)
    assert (found(root).user, found(root).secret, found(root).kind) == ("bot", "from-netrc", "password")
    monkeypatch.setenv("PIPEGEN_JENKINS_USER", "other")
    assert found(root).secret == "ring-of-other@https://ci.example.com/jenkins"
    monkeypatch.setenv("PIPEGEN_JENKINS_PASSWORD", "pass")
    assert (found(root).user, found(root).secret, found(root).kind) == ("other", "pass", "password")
    monkeypatch.setenv("PIPEGEN_JENKINS_TOKEN", "tok")
    assert (found(root).secret, found(root).kind) == ("tok", "token")
    assert "tok'" not in repr(found(root)) and "pass'" not in repr(found(root))
    netrc.write_text("machine ci.example.com passwort x\n")
    monkeypatch.delenv("PIPEGEN_JENKINS_TOKEN")
    monkeypatch.delenv("PIPEGEN_JENKINS_PASSWORD")
    with pytest.raises(ServerError, match=r"\.netrc:1: "):
        found(root)


def test_a_keyring_without_a_store_knows_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(url: str, user: str) -> str:
        raise RuntimeError("no backend")

    monkeypatch.setenv("PIPEGEN_GOCD_URL", "https://go.example.com/go")
    monkeypatch.setitem(sys.modules, "keyring", types.SimpleNamespace(get_password=broken))
    assert found(root, "gocd").secret == ""


def test_which_of_several_servers_is_meant() -> None:
    assert choose(("gocd", "jenkins"), ("gocd",), None) == "gocd"
    assert choose(("jenkins",), ("gocd",), None) == "jenkins"
    assert choose(("jenkins", "gocd"), (), "gocd") == "gocd"
    with pytest.raises(
        ServerError, match="which server\\? jenkins and gocd are configured: say --server jenkins"
    ):
        choose(("jenkins", "gocd"), ("jenkins", "gocd"), None)
    with pytest.raises(ServerError, match="no server is configured: set PIPEGEN_GOCD_URL"):
        choose((), ("gocd",), None)
