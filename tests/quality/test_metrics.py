"""Which values a path means, and which files are read."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from pipegen.dvc.metric_files import BadMetrics, parse_metrics, read_metrics
from pipegen.quality.metrics import Unusable, select


@pytest.mark.parametrize(
    ("content", "path", "found"),
    [
        ({"a": {"b": 1}}, "a.b", {"a.b": 1}),
        ({"a.b": 1}, "a.b", {"a.b": 1}),
        ({"a": {"c": 1}, "a.b": 2}, "a.b", {"a.b": 2}),
        ({"a": {"b": 1}, "a.b": 2}, "a.b", {"a.b": 1}),
        ({"a": {"b": 1}}, "a.c", {}),
        ({"a": 1}, "a.b", {}),
        ({75001: {"x": 1}}, "75001.x", {"75001.x": 1}),
        ({"folds": [{"x": 1}, {"x": 2}]}, "folds.1.x", {"folds.1.x": 2}),
        ({"folds": [{"x": 1}, {"x": 2}]}, "folds.*.x", {"folds.0.x": 1, "folds.1.x": 2}),
        ({"a": {"x": 1}, "b": {"x": 2}, "c": {"y": 3}}, "*.x", {"a.x": 1, "b.x": 2}),
        ({"a.x": 1, "b.x": 2, "n": 3}, "*.x", {"a.x": 1, "b.x": 2}),
        ({"fold_1": 1, "fold_2": 2, "all": 3}, "fold_*", {"fold_1": 1, "fold_2": 2}),
        ({"a": {"b": {"x": 1}}}, "*.*.x", {"a.b.x": 1}),
        ({"[": 1, "a": 2}, "[", {"[": 1}),
        ({"line\nbreak": 1}, "*", {"line\nbreak": 1}),
        (0.5, "x", {}),
        ("text", "0", {}),
    ],
)
def test_paths(content: Any, path: str, found: dict[str, Any]) -> None:
    assert select(content, path) == found


def test_nobody_means_millions() -> None:
    rows = [0] * 1000
    with pytest.raises(Unusable, match="more than 10,000 values"):
        select({str(index): rows for index in range(1000)}, "*.*")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("m.json", '{"x": 1.5}', {"x": 1.5}),
        ("m.yaml", "x: 1.5\ny: yes\n", {"x": 1.5, "y": "yes"}),
        ("m.yml", "x: 1e-3\n", {"x": 0.001}),
        ("m.toml", "[a]\nx = 1.5\n", {"a": {"x": 1.5}}),
        ("m.py", "x = 1.5\n", {"x": 1.5}),
        ("m.txt", "x: 2\n", {"x": 2}),
        ("m", "x: 2\n", {"x": 2}),
        ("m.JSON", "\ufeff{}", {}),
        ("m.yaml", "", {}),
    ],
)
def test_files_are_read_as_dvc_reads_them(name: str, text: str, found: Any, tmp_path: Path) -> None:
    from dvc.utils.serialize import load_path

    (tmp_path / name).write_text(text)
    assert read_metrics(tmp_path / name) == found
    if text and "\ufeff" not in text:
        from dvc.fs import LocalFileSystem

        assert load_path(str(tmp_path / name), LocalFileSystem()) == found


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("m.json", b"{", "can't be read: "),
        ("m.json", b"[" * 200_000, "can't be read: "),
        ("m.yaml", b"[" * 200_000, "can't be read: "),
        ("m.yaml", b"a: &a [*a", "can't be read: "),
        ("m.toml", b"x =", "can't be read: "),
        ("m.py", b"x = (", "can't be read: "),
        ("m.json", b"\xff\xfe", "is not UTF-8 text"),
        ("m.yaml", b"x: 1\n" * 300_000, "more than the 1 MiB"),
    ],
)
def test_what_can_t_be_read_says_why_in_one_line(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(BadMetrics) as caught:
        parse_metrics(content, name)
    assert str(caught.value).startswith(reason) or reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fifty_megabytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(BadMetrics, match="is 50 MiB, more than the 16 MiB"):
        read_metrics(path)
    assert time.monotonic() - began < 1
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_large_file_within_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps({f"group {n}": {"rmse": n / 7} for n in range(200_000)}))
    assert 7 * 2**20 < path.stat().st_size < 16 * 2**20
    assert select(read_metrics(path), "group 199999.rmse") == {"group 199999.rmse": 199999 / 7}


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadMetrics, match="is not there"):
        read_metrics(tmp_path / "none.json")
    with pytest.raises(BadMetrics, match="is a folder"):
        read_metrics(tmp_path)
