"""Many at once: one wins, the others are told, nothing is deployed twice."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipegen.cli.releasing import release_task
from pipegen.errors import PipegenError
from pipegen.registry.repository import Registry
from pipegen.runner.release.promoting import Wish, promote
from pipegen.runner.release.registering import register
from tests.registry.shop import Shop
from tests.support.agents import command
from tests.support.cli import inside
from tests.support.repositories import sh

MANY = 20
LONGEST = 240

fork = multiprocessing.get_context("fork")


def at_once(jobs: list[Callable[[], str]], method: str | None = None) -> list[str]:
    """What each job answers, every one in a process of its own; with `method`, all of them wait for each other before
    the first call of this method of the registry, so that all have seen the same."""
    barrier, answers = fork.Barrier(len(jobs)), fork.SimpleQueue()

    def one(job: Callable[[], str]) -> None:
        if method:
            do = getattr(Registry, method)

            def together(*words: Any, **more: Any) -> Any:
                setattr(Registry, method, do)
                barrier.wait(LONGEST)
                return do(*words, **more)

            setattr(Registry, method, together)
        try:
            answer = job()
        except PipegenError as error:
            answer = f"{type(error).__name__}: {error.message}"
        except BaseException as error:
            answer = f"broken: {error!r}"
        answers.put(answer)
        os._exit(0)

    started = [fork.Process(target=one, args=(job,)) for job in jobs]
    for process in started:
        process.start()
    found = [answers.get() for _ in started]
    for process in started:
        process.join()
    return found


def promotion(clone: Path, wish: Wish) -> Callable[[], str]:
    def go() -> str:
        with inside(clone):
            return promote(release_task(clone, "toy"), wish, lambda _: None).outcome

    return go


def test_of_twenty_promotions_one_wins_every_time(shop: Shop) -> None:
    clones = [shop.clone(f"clone-{number}") for number in range(MANY)]
    for step, version in enumerate(("v0.0.1", "v0.1.0"), 1):
        wish = Wish(to="staging", version=version, without_gates="a race")
        found = at_once([promotion(clone, wish) for clone in clones], "assign")
        assert found.count("promoted") == 1, found
        others = [answer for answer in found if answer != "promoted"]
        told = f"Overtaken: toy#staging#{step} was made by somebody else meanwhile"
        assert others == [told] * (MANY - 1)
        assert [tag for tag in shop.tags() if "#" in tag] == [f"toy#staging#{n}" for n in range(1, step + 1)]


def test_of_many_deployments_one_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", str(shop.service))
    monkeypatch.setenv("SLOW", "0.2")
    versions = ("v0.0.1", "v0.1.0")
    wishes = [
        Wish(to="production", version=versions[number % 2], without_gates="a race") for number in range(8)
    ]
    jobs = [promotion(shop.clone(f"clone-{number}"), wish) for number, wish in enumerate(wishes)]
    found = at_once(jobs, "deploying")
    assert found.count("promoted") == 1, found
    assert {answer.partition(":")[0] for answer in found} <= {"promoted", "unchanged", "Busy", "Overtaken"}, (
        found
    )
    assert len(shop.deployed()) == 1, "nothing is deployed twice, nor two things at once"
    assert shop.deployed() == [f"{shop.serving()} over nothing in production"]
    assert sh(shop.origin, "git", "for-each-ref", "refs/pipegen") == ""


def test_runs_that_are_registered_at_once_get_a_version_each(shop: Shop) -> None:
    def registration(clone: Path) -> Callable[[], str]:
        def go() -> str:
            with inside(clone):
                return register(release_task(clone, "toy"), lambda _: None).version

        return go

    clones = [shop.clone(name) for name in ("ann", "bob", "cid", "cid-again")]
    for number, clone in enumerate(clones):
        (clone / ".dvc" / "tmp").mkdir(exist_ok=True)
        (clone / "seed.txt").write_text(f'{{"r2": 0.9{min(number, 2)}}}')
        env = {"GIT_AUTHOR_DATE": "1790000000 +0000", "GIT_COMMITTER_DATE": "1790000000 +0000"}
        sh(clone, "env", *(f"{k}={v}" for k, v in env.items()), "git", "commit", "-qam", "x")
        assert shop("run", at=clone).code == 0
    found = at_once([registration(clone) for clone in clones], "add_version")
    assert sorted(set(found)) == ["v0.1.3", "v0.1.4", "v0.1.5"], found
    commits = {name: sh(shop.origin, "git", "rev-parse", f"toy@{name}^{{commit}}") for name in found}
    assert len(set(commits.values())) == 3, "the same run, in two clones, is one version"


def test_who_died_in_a_deployment_holds_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", str(shop.service))
    monkeypatch.setenv("SLOW", "60")
    process = fork.Process(
        target=promotion(shop.here, Wish(to="production", version="v0.1.0", without_gates="x"))
    )
    process.start()
    ends = time.monotonic() + LONGEST
    while not (shop.service / "busy").exists():
        assert time.monotonic() < ends
        time.sleep(0.02)
    process.kill()
    process.join()
    (shop.service / "busy").rmdir()
    refused = shop("promote", "toy", "v0.1.0", "--to", "production")
    assert refused.code == 1
    assert "if it died, say --take-over" in refused.err
    done = shop("promote", "toy", "v0.1.0", "--to", "production", "--take-over", SLOW="0")
    assert done.code == 0, done.text
    assert shop.deployed() == ["v0.1.0 over v0.1.0 in production"], "the tag was made, the deployment was not"


def test_who_is_interrupted_brings_back(shop: Shop) -> None:
    assert shop("promote", "toy", "v0.0.1", "--to", "production").code == 0
    env = {"WHERE": str(shop.service), "SLOW": "60"}
    process = command(shop.here, "promote", "toy", "v0.1.0", "--to", "production", env=env)
    ends = time.monotonic() + LONGEST
    while not (shop.service / "busy").exists():
        assert time.monotonic() < ends
        time.sleep(0.02)
    process.terminate()
    _, said = process.communicate(timeout=LONGEST)
    assert process.returncode == 130, said
    assert "toy v0.1.0 is taken back: production has v0.0.1 again" in said
    assert shop.serving() == "v0.0.1"
    assert sh(shop.origin, "git", "for-each-ref", "refs/pipegen") == ""
