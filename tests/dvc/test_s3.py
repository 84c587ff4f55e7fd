"""An S3 bucket used directly: the same as through DVC's own file system, and what a server refuses or breaks off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipegen.dvc import patience, s3
from pipegen.dvc.errors import RemoteError
from pipegen.dvc.s3 import Bucket, is_plain
from pipegen.dvc.stores import Distant, RemoteChoice, Store, open_store
from tests.support.s3 import S3, s3_server

NAMES = ["files/md5/ab/cdef", "files/md5/ab/é + ü?#%", "files/md5x", "runs/aa/bb/cc", "runs/aa/bb/.left.tmp"]


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    """moto's server."""
    with s3_server() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the server, and none of this machine."""
    for name, value in S3("").env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(patience, "WAITS", (0.01, 0.01))


def opened(folder: Path, endpoint: str, more: str = "", url: str = "s3://bucket/some/place") -> Store:
    """The remote of a new repository."""
    (folder / ".dvc").mkdir(parents=True)
    text = "[core]\n    no_scm = true\n    remote = store\n['remote \"store\"']\n"
    text += f"    url = {url}\n    endpointurl = {endpoint}\n"
    (folder / ".dvc" / "config").write_text(text + more)
    store = open_store(folder, RemoteChoice(), lambda message: None)
    assert store
    return store


def picture(store: Store, names: list[str], folder: Path) -> dict[str, object]:
    """All that a store tells."""
    contents = {}
    for name in [*names, "none"]:
        target = folder / "target"
        contents[name] = target.read_bytes() if store.get(name, str(target)) else None
        target.unlink(missing_ok=True)
    return {
        "contents": contents,
        "present": store.present([*names, "none"]),
        "names": {at: store.names(at) for at in ("files", "files/md5", "runs/aa/bb", "none")},
        "walk": {at: sorted((i.path, i.size) for i in store.walk(at)) for at in ("files", "runs", "none")},
        "young": all(
            abs(i.modified - next(iter(store.walk("runs"))).modified) < 60 for i in store.walk("files")
        ),
    }


@pytest.mark.parametrize("url", ["s3://bucket/some/place", "s3://whole"])
def test_same_as_through_dvc(server: S3, tmp_path: Path, url: str) -> None:
    server.make_bucket("whole")
    mine = opened(tmp_path / "a", server.endpoint, url=url)
    dvcs = opened(tmp_path / "b", server.endpoint, "    read_timeout = 15\n", url)
    assert isinstance(mine, Bucket)
    assert isinstance(dvcs, Distant)
    sources = {}
    for number, name in enumerate(NAMES):
        source = tmp_path / str(number)
        source.write_bytes(name.encode() * number)  # the first is empty
        sources[name] = str(source)
    halves = list(sources.items())
    mine.put(dict(halves[:3]))
    dvcs.put(dict(halves[3:]))
    seen = picture(mine, NAMES, tmp_path)
    assert seen == picture(dvcs, NAMES, tmp_path)
    assert seen["present"] == set(NAMES)
    mine.delete(NAMES[:2])
    mine.delete(NAMES[:1])
    assert dvcs.present(NAMES) == set(NAMES[2:])


def test_large_files_go_dvcs_way(server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path / "repository", server.endpoint)
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"1" * 9)
    large.write_bytes(b"2" * 10)
    monkeypatch.setattr(s3, "LARGE", 10)
    store.put({"small": str(small)})
    assert store.get("small", str(tmp_path / "again"))
    assert "_by_dvc" not in vars(store)
    store.put({"large": str(large)})
    assert "_by_dvc" in vars(store)
    assert store.get("large", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == large.read_bytes()


@pytest.mark.parametrize(
    ("options", "env", "plain"),
    [
        ({"url": "s3://b/x", "endpointurl": "http://e", "region": "r", "profile": "p"}, {}, True),
        ({"url": "s3://b/x", "access_key_id": "a", "secret_access_key": "b", "session_token": "c"}, {}, True),
        ({"url": "s3://b/x", "sse": "aws:kms"}, {}, False),
        ({"url": "s3://b/x", "version_aware": "true"}, {}, False),
        ({"url": "s3://b/x?versionId=1"}, {}, False),
        ({"url": "s3://arn:aws:s3:eu:1:accesspoint/b/x"}, {}, False),
        ({"url": "gs://b/x"}, {}, False),
        ({"url": "remote://other/x"}, {}, False),
        ({"url": "s3://b/x"}, {"FSSPEC_S3_ENDPOINT_URL": "http://e"}, False),
    ],
)
def test_what_is_plain(
    options: dict[str, str], env: dict[str, str], plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert is_plain(options) is plain


# ------------------------------------------------------------------------------------------------- refusals


@dataclass
class Scripted:
    """A server that gives one answer after the other: a status, or half of a body."""

    answers: list[int | str]
    asked: list[str] = field(default_factory=list)

    def serve(self) -> ThreadingHTTPServer:
        """A server on a port of its own."""
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                script.asked.append(self.path)
                answer = script.answers.pop(0)
                is_half = answer == "half"
                status, body = (200, b"content") if isinstance(answer, str) else (answer, b"")
                if status == 400:
                    body = b"<Error><Code>RequestTimeout</Code><Message>too slow</Message></Error>"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:3] if is_half else body)
                self.close_connection = is_half

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([503, 503, 503, 503, "whole"], id="busy"),
        pytest.param(["half", "whole"], id="broken off"),
        pytest.param([400, 400, "whole"], id="a refusal that passes"),
    ],
)
def test_what_passes_is_waited_for(answers: list[int | str], tmp_path: Path) -> None:
    script = Scripted(answers)
    with script.serve() as server:
        store = opened(tmp_path / "repository", f"http://127.0.0.1:{server.server_port}")
        assert store.get("file", str(tmp_path / "file"))
        server.shutdown()
    assert (tmp_path / "file").read_bytes() == b"content"
    assert not script.answers


@pytest.mark.parametrize(("status", "said"), [(403, "Forbidden"), (405, "Method Not Allowed"), (301, "301")])
def test_a_refusal_is_said_at_once(status: int, said: str, tmp_path: Path) -> None:
    script = Scripted([status] * 9)
    with script.serve() as server:
        store = opened(tmp_path / "repository", f"http://127.0.0.1:{server.server_port}")
        with pytest.raises(RemoteError, match=f"can't read from the DVC remote 'store'.*{said}"):
            store.get("file", str(tmp_path / "file"))
        server.shutdown()
    assert len({path for path in script.asked if "file" in path}) == 1
    assert len(script.asked) <= 2


def test_a_profile_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match=r"can't use the DVC remote.*profile \(nobody\) could not be found"):
        opened(tmp_path / "repository", "http://127.0.0.1:9", "    profile = nobody\n")


def test_a_server_that_is_away(tmp_path: Path) -> None:
    with Scripted([]).serve() as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
    store = opened(tmp_path / "repository", endpoint)
    with pytest.raises(RemoteError, match=r"can't look into the DVC remote 'store'.*Could not connect"):
        store.present(["file"])
