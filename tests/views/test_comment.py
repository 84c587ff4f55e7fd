"""Comments on pull requests, against a double of GitHub's and GitLab's APIs over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pipegen.errors import AccessRefused, NotOnServer, PlanError, ServerError, ServerUnavailable
from pipegen.views.comment import LONGEST, forge_types, load_forge, put, repository_path
from tests.support.forge import UPDATE, Served, serving_forge


@pytest.fixture(params=["github", "gitlab"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving_forge(request.param) as found:
        yield found


def test_it_is_written_once_and_then_updated_in_place(served: Served) -> None:
    served.double.comments = [{"id": i, "body": f"somebody says {i}"} for i in range(150)]
    for text in ("r2 0.9", "r2 0.8", "r2 0.8"):
        put(served.forge(), 7, text, about="houses/review")
    put(served.forge(), 7, "other", about="houses/other")
    assert served.double.texts[150:] == [
        "<!-- pipegen houses/review -->\nr2 0.8",
        "<!-- pipegen houses/other -->\nother",
    ]
    assert served.double.asked.count(UPDATE[served.double.kind]) == 1


def test_what_looks_like_the_end_of_a_mark_is_none(served: Served) -> None:
    put(served.forge(), 7, "x", about="a --> <b>")
    assert served.double.texts == ["<!-- pipegen a_--___b_ -->\nx"]


def test_one_that_was_deleted_meanwhile_is_written_anew(served: Served) -> None:
    put(served.forge(), 7, "one", about="h/r")
    served.double.refusals = [(404, {}, {"message": "Not Found"})]
    put(served.forge(), 7, "two", about="h/r")
    assert served.double.texts[-1].endswith("two")


def test_a_lost_answer_makes_no_second_comment(served: Served) -> None:
    served.double.lose_next_answer = True
    put(served.forge(), 7, "one", about="h/r")
    assert len(served.double.texts) == 1


def test_a_long_one_is_cut_at_a_line(served: Served) -> None:
    put(served.forge(), 7, "0123456789\n" * 10_000, about="h/r")
    (text,) = served.double.texts
    assert LONGEST - 100 < len(text) < LONGEST + 100
    assert text.endswith("0123456789\n\n… the rest is in the report.")


def test_a_fork_without_the_right_to_is_told_so(served: Served) -> None:
    served.double.refusals = [(403, {}, {"message": "Resource not accessible by integration"})]
    with pytest.raises(
        AccessRefused, match=r"may not comment on pull request 7 .* \(Resource not acc.*a fork runs"
    ):
        put(served.forge(), 7, "x", about="h/r")
    assert not served.double.texts


def test_a_wrong_token_and_a_wrong_place(served: Served) -> None:
    with pytest.raises(AccessRefused, match="does not know this token") as caught:
        put(served.forge(token="secret-and-wrong"), 7, "x", about="h/r")
    assert "secret-and-wrong" not in str(caught.value)
    with pytest.raises(NotOnServer, match="has no pull request 8 in pricing/houses"):
        put(served.forge(), 8, "x", about="h/r")


def test_too_many_requests_are_waited_out(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 30)}
    served.double.refusals = [(403, limit, {"message": "rate limit"}), (429, {"Retry-After": "3"}, {})]
    put(served.forge(patience=100), 7, "x", about="h/r")
    assert len(served.double.texts) == 1
    assert 25 < waited[0] <= 30
    assert waited[1] == 3


def test_they_are_not_waited_out_for_ever(served: Served) -> None:
    served.double.refusals = [(429, {"Retry-After": "900"}, {"message": "slow down"})]
    with pytest.raises(ServerUnavailable, match="takes no more requests for 900 s: slow down"):
        put(served.forge(), 7, "x", about="h/r")


def test_what_is_no_forge_is_said(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.double.refusals = [(201, {}, {"hello": "world"})]
    with pytest.raises(ServerError, match="`url` under `forge`"):
        put(served.forge(), 7, "x", about="h/r")


def test_github_itself_has_an_address_of_its_own() -> None:
    assert load_forge("github").api("https://github.com") == "https://api.github.com"
    assert set(forge_types()) >= {"github", "gitlab"}
    with pytest.raises(PlanError, match="no forge 'gitea' is installed; there are"):
        load_forge("gitea")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://git.example.com/pricing/houses.git", "pricing/houses"),
        ("https://git.example.com/a/b/houses/", "a/b/houses"),
        ("git@git.example.com:pricing/houses.git", "pricing/houses"),
        ("ssh://git@git.example.com:22/pricing/houses", "pricing/houses"),
    ],
)
def test_the_path_of_a_repository(url: str, path: str) -> None:
    assert repository_path(url) == path


def test_a_folder_is_none() -> None:
    with pytest.raises(PlanError, match="names no repository of a forge"):
        repository_path("/srv/git/houses")
