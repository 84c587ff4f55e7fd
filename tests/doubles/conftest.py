"""What both servers' doubles run: repositories with generated files, on remotes of two kinds, with the real pipegen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from tests.doubles.flagship import Flagship, bring
from tests.doubles.house import House, Remote
from tests.doubles.quality import MailServer
from tests.support.post import Post, serving
from tests.support.repositories import make_template
from tests.support.s3 import S3, s3_server
from tests.support.warm import EXAMPLES, PIPEGEN, Warm, warm
from tests.support.warm import S3 as S3_LIBRARIES

MakeRemote = Callable[[str], Remote]
MakeHouse = Callable[..., House]
Expected = Callable[[str, House], dict[str, Any]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty git and DVC repository, to be copied."""
    return make_template(tmp_path_factory.mktemp("template") / "repository")


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """moto's server."""
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def warm_pipegen() -> Iterator[Warm]:
    """A process that has loaded what `pipegen exec` imports."""
    with warm([*PIPEGEN, *S3_LIBRARIES]) as process:
        yield process


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """Where reports are mailed to. Whoever has a password is let in."""
    post = Post()
    anybody = {"authenticator": lambda *_: AuthResult(success=True), "auth_require_tls": False}
    with serving(post, **anybody) as port:
        yield MailServer(port, post)


@pytest.fixture
def flagship(s3: S3, tmp_path: Path) -> Iterator[Flagship]:
    """The house-prices example with the files that were generated for it."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    with warm([*PIPEGEN, *S3_LIBRARIES, *EXAMPLES], one_thread) as process:
        yield bring(tmp_path, process, s3)


@pytest.fixture
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> MakeRemote:
    """Gives the test's own remote, `folder` or `s3`."""

    def one(kind: str) -> Remote:
        if kind == "s3":
            return Remote.in_s3(request.getfixturevalue("s3"), tmp_path.name)
        return Remote.in_folder(tmp_path / "remote")

    return one


@pytest.fixture
def furnish(tmp_path: Path, template: Path, remote: MakeRemote) -> MakeHouse:
    """Makes the test's house."""

    def one(targets: Any, stages: Any, *, kind: str = "folder", **options: Any) -> House:
        return House(tmp_path, template, remote(kind), targets, stages, **options)

    return one


@pytest.fixture(scope="session")
def expected() -> Expected:
    """What `dvc repro` makes of a shape: asked once, since it is the same on every server and remote."""
    known: dict[str, dict[str, Any]] = {}

    def of(shape: str, house: House) -> dict[str, Any]:
        if shape not in known:
            known[shape] = house.reference()
        return known[shape]

    return of
