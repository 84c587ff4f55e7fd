"""How clients are found, and what is said of one that can't be used."""

from __future__ import annotations

import pytest

import pipegen.servers as servers
from pipegen.errors import ServerError
from pipegen.plan.deployment import Definition, Deployment
from pipegen.servers import Connection, Server, load_server, server_names
from pipegen.targets import load_target, target_names


def connection(name: str) -> Connection:
    return Connection(server=name, url="https://ci.example.com")


def test_each_client_has_the_name_of_a_target_and_is_found_by_it() -> None:
    assert server_names()[:2] == ("jenkins", "gocd") and set(server_names()) <= set(target_names())
    for name in server_names():
        client = load_server(connection(name))
        assert isinstance(client, Server) and client.name == name == load_target(name).name


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (None, "there is no client for a server 'thing'; there are jenkins, gocd"),
        ("no.such.module:Thing", "can't be loaded: ModuleNotFoundError"),
        ("pipegen.errors:Missing", "can't be loaded: AttributeError"),
        ("builtins:str", "is no pipegen.servers.Server"),
    ],
)
def test_a_client_that_is_none_is_said(monkeypatch: pytest.MonkeyPatch, where: str | None, says: str) -> None:
    known = {"jenkins": "x", "gocd": "x", **({"thing": where} if where else {})}
    monkeypatch.setattr(servers, "_registered", lambda: known)
    with pytest.raises(ServerError) as failure:
        load_server(connection("thing"))
    assert says in failure.value.message


def test_a_connection_shows_no_secret() -> None:
    shown = repr(Connection(server="jenkins", url="https://x", user="me", secret="s3cret"))
    assert "me" in shown and "s3cret" not in shown


def test_the_workflow_is_named_or_the_only_one() -> None:
    one = Definition(name="a", text="", workflows=("push",))
    two = Definition(name="b", text="", workflows=("nightly",))
    assert Deployment(pipeline="p", origin="o", definitions=(one,)).of(None) == (one,)
    both = Deployment(pipeline="p", origin="o", definitions=(one, two))
    assert both.of("nightly") == (two,)
    for name, says in ((None, "which workflow? There are push, nightly"), ("x", "it has push, nightly")):
        with pytest.raises(Exception, match=says.replace("?", r"\?")):
            both.of(name)
