"""From a run to a version, to an environment, and back: what tags, GTO, DVC and the environment say of it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipegen.registry.history import History
from pipegen.registry.notes import Notes
from pipegen.registry.repository import Registry
from tests.registry.shop import Shop
from tests.support.repositories import dvc, sh


def by_gto(shop: Shop) -> dict[str, Any]:
    """The version in each environment, as GTO reads the server's repository."""
    from gto.constants import VersionSort
    from gto.registry import GitRegistry

    with GitRegistry.from_url(str(shop.origin)) as registry:
        artifact = registry.get_state().get_artifacts()["toy"]
        found = artifact.get_vstages(sort=VersionSort.Timestamp)
        return {name: services[0].version for name, services in found.items() if services}


def test_the_registered_commit_differs_by_the_lock_file_alone(shop: Shop) -> None:
    tag = "toy@v0.1.0"
    (parent,) = sh(shop.here, "git", "log", "-1", "--format=%P", tag).split()
    assert sh(shop.here, "git", "diff", "--name-only", parent, tag).split() == ["dvc.lock"]
    assert sh(shop.here, "git", "log", "-1", "--format=%s", parent).strip() == '{"r2": 0.9}'
    assert sh(shop.origin, "git", "cat-file", "-t", tag).strip() == "tag", "GTO reads annotated ones"
    assert sh(shop.here, "git", "branch", "-r", "--contains", tag) == "", "no branch gets it"
    said = sh(shop.here, "git", "tag", "-n99", "-l", tag)
    assert f"Pipegen-Built: {parent}" in said and "Pipegen-Metric: m.json:r2 = 0.9" in said
    kept = (shop.here / ".pipegen" / "gates" / "@local").glob(f"*-{parent[:12]}-passed-*.json")
    assert [path.name[-69:-5] for path in kept] == re.findall(
        "Pipegen-Gates: ([0-9a-f]{64}) by hand passed", said
    )


def test_dvc_and_gto_find_the_model(shop: Shop) -> None:
    assert shop("promote", "toy", "v0.0.1", "--to", "production").code == 0
    place = str(shop.here)  # of a bare repository DVC does not know where `../../remote` is
    dvc(shop.folder, "get", "-q", place, "model.txt", "--rev", "toy@v0.1.0", "-o", "by-tag")
    dvc(shop.folder, "artifacts", "get", "-q", place, "toy", "--stage", "production", "-o", "by-stage")
    got = shop("get", "toy@production", "-o", "../by-pipegen")
    assert got.code == 0, got.text
    assert (shop.folder / "by-tag").read_text() == '{"r2": 0.9}'
    assert (shop.folder / "by-stage").read_text() == (shop.folder / "by-pipegen").read_text() == '{"r2": 0.8}'
    again = shop("get", "toy@v0.1.0", "-o", "../by-pipegen")
    assert (again.code, "is there already" in again.err) == (4, True)
    nowhere = shop("get", "toy@staging", "-o", "../other")
    assert "there are v0.1.2, v0.1.1, v0.1.0, v0.0.1, production" in nowhere.err


def test_the_data_is_on_the_remote_before_the_tag(shop: Shop) -> None:
    elsewhere = shop.clone("elsewhere")
    got = shop("get", "toy@v0.1.0", at=elsewhere)
    assert (got.code, (elsewhere / "model.txt").read_text()) == (0, '{"r2": 0.9}'), got.text


def test_a_release_and_its_way_back(shop: Shop) -> None:
    for version in ("v0.0.1", "v0.1.0"):
        done = shop("promote", "toy", version, "--to", "production")
        assert done.code == 0, done.text
    failed = shop("promote", "toy", "v0.1.1", "--to", "production")
    assert failed.code == 1
    assert "toy v0.1.1 is taken back: production has v0.1.0 again" in failed.err
    assert (shop.service / "now").read_text() == '{"r2": 0.9}'
    assert shop.deployed()[-2:] == ["v0.1.1 over v0.1.0 in production", "rollback"]
    assert by_gto(shop) == {"production": "v0.1.0"}
    assert {"toy#production#3", "toy#production#4"} <= set(shop.tags()), "nothing is deleted"

    back = shop("rollback", "toy", "--in", "production", "--reason", "complaints", "--json")
    assert back.code == 0, back.text
    assert {"outcome": "rolled back", "version": "v0.0.1", "before": "v0.1.0"}.items() <= json.loads(
        back.out
    ).items()
    assert (shop.service / "now").read_text() == '{"r2": 0.8}'
    assert (shop.serving(), by_gto(shop)) == ("v0.0.1", {"production": "v0.0.1"})
    first = shop("rollback", "toy", "--in", "production")
    assert (first.code, "v0.0.1 is the first version in production" in first.err) == (1, True)
    assert shop("promote", "toy", "v0.1.0", "--to", "production").code == 0
    assert sh(shop.origin, "git", "for-each-ref", "refs/pipegen") == "", "nobody deploys any more"
    assert sh(shop.here, "git", "worktree", "list").count("\n") == 1
    table = shop("models").out.splitlines()
    assert [row.split()[:3] for row in table[2:5]] == [
        ["toy", "v0.1.1", table[2].split()[2]],
        ["toy", "v0.1.0", "production"],
        ["toy", "v0.0.1", table[4].split()[2]],
    ]
    assert max(map(len, table)) <= 100


def test_a_first_deployment_that_fails_leaves_nothing_in_service(shop: Shop) -> None:
    failed = shop("promote", "toy", "v0.1.1", "--to", "production")
    assert failed.code == 1
    assert "No version was in production before, so nothing was brought back" in failed.err
    assert (shop.serving(), by_gto(shop)) == (None, {})
    assert shop("promote", "toy", "v0.0.1", "--to", "production").code == 0, "the older one overtakes nothing"


def test_without_a_rollback_command_the_version_before_is_deployed(shop: Shop) -> None:
    assert shop("promote", "toy", "v0.1.0", "--to", "plain").code == 0
    assert "plain has v0.1.0 again" in shop("promote", "toy", "v0.1.1", "--to", "plain").err
    assert (shop.service / "now").read_text() == '{"r2": 0.9}'
    assert shop.deployed()[-1] == "v0.1.0 over v0.1.1 in plain"


def test_what_could_not_be_brought_back_stays_locked(shop: Shop) -> None:
    shop("promote", "toy", "v0.1.0", "--to", "production")
    (shop.service / "stuck").touch()
    broken = shop("promote", "toy", "v0.1.1", "--to", "production")
    assert broken.code == 1
    assert "Nobody knows what is in production now" in broken.err
    assert shop.serving() == "v0.1.0"
    refused = shop("promote", "toy", "v0.1.0", "--to", "production")
    assert refused.code == 1
    assert "somebody deploys into production: toy v0.1.1 by ann@example.com, since " in refused.err
    again = shop("promote", "toy", "v0.1.0", "--to", "production", "--take-over")
    assert again.code == 0, again.text
    assert (shop.service / "now").read_text() == '{"r2": 0.9}'
    assert shop("promote", "toy", "v0.1.0", "--to", "production").out.startswith(
        "toy v0.1.0 is in production already"
    )


def test_gates_are_those_of_the_very_version(shop: Shop) -> None:
    red = shop("promote", "toy", "v0.1.2", "--to", "staging")
    assert (red.code, "its gates are red (good)" in red.err) == (1, True)
    shutil.rmtree(shop.here / ".pipegen")
    none = shop("promote", "toy", "v0.1.0", "--to", "staging")
    assert none.code == 1
    assert "no gates were judged on what it was made of" in none.err
    for command in ("git checkout -qf toy@v0.1.0", "rm model.txt m.json"):
        sh(shop.here, *command.split())
    dvc(shop.here, "pull", "-q")
    assert shop("gate").code == 0
    assert shop("promote", "toy", "v0.0.1", "--to", "staging").code == 1, "they were of another version"
    assert shop("promote", "toy", "v0.1.0", "--to", "staging").code == 0
    forced = shop(
        "promote", "toy", "v0.1.2", "--to", "staging", "--without-gates", "the boss\nsays so", "--json"
    )
    assert json.loads(forced.out)["tag"] == "toy#staging#2"
    (model,) = json.loads(shop("models", "--json").out)
    assert [row["without_gates"] for row in model["promotions"]] == ["", "the boss says so"]


def test_an_older_version_overtakes_no_newer_one(shop: Shop) -> None:
    assert shop("promote", "toy", "v0.1.0", "--to", "staging").code == 0
    older = shop("promote", "toy", "v0.0.1", "--to", "staging")
    assert older.code == 1
    assert "is older than v0.1.0" in older.err and "`pipegen rollback toy --in staging`" in older.err
    wrong = shop("promote", "toy", "v0.1.1", "--to", "staging", "--expect", "v0.0.1")
    assert (wrong.code, "staging has v0.1.0" in wrong.err) == (1, True)
    assert shop("promote", "toy", "--from", "staging", "--to", "production", "--expect", "none").code == 0
    assert (shop.serving(), shop.serving("staging")) == ("v0.1.0", "v0.1.0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("promote", "toy", "--to", "staging"), "which version of toy? Say `pipegen promote toy VERSION --to staging`"),
        (("promote", "toy", "v9.0.0", "--to", "staging"), "there is no version v9.0.0 of toy; the last are v0.1.2"),
        (("promote", "toi", "v0.1.0", "--to", "staging"), "no model is called 'toi'; did you mean 'toy'?"),
        (("promote", "toy", "v0.1.0", "--to", "a b"), "the environment 'a b' can't stand in a tag"),
        (("promote", "toy", "--from", "staging", "--to", "production"), "no version of toy is in staging"),
        (("rollback", "toy", "--in", "staging"), "no version of toy is in staging: there is nothing to roll back"),
        (("register", "toy", "--version", "v0.1.0"), "this run is registered already, as toy v0.1.2"),
    ],
)  # fmt: skip
def test_what_is_refused(shop: Shop, words: tuple[str, ...], said: str) -> None:
    before = shop.tags()
    refused = shop(*words)
    assert (refused.code, said in refused.err) == (1, True), refused.err
    assert shop.tags() == before


def test_register_wants_a_commit_and_a_whole_run(shop: Shop) -> None:
    (shop.here / "seed.txt").write_text('{"r2": 0.95}')
    unclean = shop("register", "toy")
    assert "seed.txt: not committed as it is here" in unclean.err
    shop.commit(r2=0.95)
    stale = shop("register", "toy")
    assert "train is not up to date" in stale.err and "`pipegen run` first" in stale.err
    assert shop.make("--version", "2.0.0") == "v2.0.0"
    shop.commit(r2=0.96)
    shop("run")
    taken = shop("register", "toy", "--version", "v2.0.0")
    assert (taken.code, "toy v2.0.0 is there already, of another run" in taken.err) == (1, True)


@pytest.mark.parametrize("what", ["remote", "origin", "locked"])
def test_nothing_half_done_where_a_server_is_down(
    shop: Shop, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipegen.dvc.patience.time.sleep", lambda _: None)
    shop.commit(r2=0.97)
    shop("run")
    before = shop.tags()
    moved = {"remote": shop.remote, "origin": shop.origin}.get(what)
    if moved:
        moved.rename(shop.folder / "gone")
        moved.touch()
    else:
        hook = shop.origin / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho 'tags are protected' >&2; exit 1\n")
        hook.chmod(0o755)
    failed = shop("register", "toy")
    assert failed.code == {"remote": 6, "origin": 5, "locked": 5}[what], failed.text
    assert what != "locked" or "tags are protected" in failed.err
    assert "toy@v0.1.3" not in sh(shop.here, "git", "tag")
    if moved:
        moved.unlink()
        (shop.folder / "gone").rename(moved)
    else:
        Path(hook).unlink()
    assert shop.tags() == before
    assert shop.make() == "v0.1.3"


def test_a_description_in_a_folder_has_that_in_its_tags(shop: Shop) -> None:
    from gto.registry import GitRegistry

    registry = Registry(shop.here, "prices/one")
    commit = sh(shop.here, "git", "rev-parse", "HEAD").strip()
    registry.add_version(History("house", ()), "v1.0.0", commit, Notes("house"))
    history = registry.history("house")
    assert (
        registry.assign(history, history.versions["v1.0.0"], "staging", Notes("s"))
        == "prices/one=house#staging#1"
    )
    assert Registry(shop.here, "prices/two").history("house") == History("house", ())
    with GitRegistry.from_url(str(shop.origin)) as gto:
        assert "prices/one:house" in gto.get_state().get_artifacts()
