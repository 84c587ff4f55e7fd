"""What `dump` writes is read back equal by every reader that sees it: ours, DVC's, those of YAML 1.1 such as GoCD's."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipegen.description.dumper import dump
from pipegen.dvc.yaml12 import parse

TEXTS = [
    "",
    " ",
    "  ",
    "\n",
    "\n\n",
    "a\n",
    "a\nb",
    "a\nb\n",
    "a\n\nb\n\n\n",
    "\na",
    "\n a",
    " a\nb",
    "a\n b\n",
    "  a\n  b\n",
    "a \nb",
    "a\n \nb",
    "a\n#b\n",
    "#a",
    "# a",
    "a #b",
    "a: b",
    "a:",
    ":a",
    "- a",
    "-",
    "--- a",
    "---",
    "...",
    "? a",
    "?",
    "! a",
    "!a",
    "& a",
    "&a",
    "*a",
    "%a",
    "@a",
    "`a`",
    "|",
    ">",
    "|\n",
    "'",
    '"',
    "'a'",
    '"a"',
    "\\",
    "\\n",
    "a\\",
    "{a}",
    "[a]",
    "{",
    "}",
    "]",
    ",",
    "a, b",
    "${item}",
    "\\${HOME}",
    "<<",
    "=",
    "yes",
    "No",
    "ON",
    "off",
    "y",
    "N",
    "true",
    "True",
    "null",
    "~",
    "Null",
    "nan",
    ".nan",
    ".inf",
    "-.INF",
    "1",
    "-1",
    "+1",
    "0o7",
    "0777",
    "0x1F",
    "0b1",
    "1_000",
    "_",
    "_1",
    "1e3",
    "1.",
    ".5",
    "._",
    "1.5e+3",
    "1:30",
    "12:30:45",
    "1:30.5",
    "190:20:30.15",
    "2026-01-01",
    "2026-1-1 1:02:03",
    "\t",
    "a\tb",
    "\ta",
    "a\n\tb\n",
    "a\tb\nc\n",
    "a\t\nb",
    "a\r\nb",
    "\r",
    "\x00",
    "\x07\x1b[0m",
    "\x7f",
    "\x85",
    "a\x85b",
    "\u2028",
    "a\u2029\nb",
    "\ufeff",
    "\ufeffa\nb",
    "\xa0",
    "a\xa0\nb\n",
    "\u3000",
    "é",
    "東京\n京都\n",
    "🧪",
    "🧪\n🧫\n",
    "a" * 300,
    "word " * 100,
    "word " * 100 + "\n" + "x " * 200,
    "set -e\npython train.py \\\n  --epochs 10\n",
    "if true; then\n    echo 'it'\nfi\n",
]

_any_text = (
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.text(st.sampled_from("ab \n\t#:-?'\"\\{}[],&*!|>%@`$=<~.01_é🧪\x85\u2028\r"))
    | st.sampled_from(TEXTS)
)
_scalars = (
    _any_text
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates()
)
_data = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_any_text, inner, max_size=4),
    max_leaves=12,
)


def check(data: Any) -> None:
    written = dump(data)
    assert repr(parse(written, "x.yaml").value) == repr(data), written
    assert repr(YAML(typ="safe").load(written)) == repr(data), written
    assert texts(yaml.safe_load(written)) == texts(data), written


def texts(data: Any) -> Any:
    """The data with everything that is no text left open: readers of YAML 1.1 may take other values otherwise."""
    if isinstance(data, dict):
        return {key: texts(value) for key, value in data.items()}
    if isinstance(data, list):
        return [texts(item) for item in data]
    return data if isinstance(data, str) else ...


@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_a_text_stays_that_text(text: str) -> None:
    check({"key": text, text: "value", "list": [text, {"deep": text}]})


@settings(max_examples=400, deadline=None)
@given(_data)
@example({"a": {}, "b": [], "c": [[], {}], "d": None, "": ""})
def test_any_data_is_read_back_equal(data: Any) -> None:
    check({"data": data})


def test_several_lines_are_written_as_a_block() -> None:
    command = "set -e\npython train.py \\\n    --name 'Ångström' # not\n\nls\n"
    assert dump({"cmd": command}) == (
        "cmd: |\n  set -e\n  python train.py \\\n      --name 'Ångström' # not\n\n  ls\n"
    )
    assert dump({"cmd": "one\ntwo"}) == "cmd: |-\n  one\n  two\n"


def test_data_is_written_in_the_way_dvc_writes_it() -> None:
    data = {
        "stages": {
            "a": {"cmd": "ls", "deps": ["a", "b"], "frozen": True, "meta": {"level": 1, "x": None, "e": {}}}
        }
    }
    assert dump(data) == (
        "stages:\n  a:\n    cmd: ls\n    deps:\n    - a\n    - b\n    frozen: true\n"
        "    meta:\n      level: 1\n      x: null\n      e: {}\n"
    )


def test_one_object_twice_is_written_twice() -> None:
    deps = ["a"]
    assert dump({"a": deps, "b": deps}) == "a:\n- a\nb:\n- a\n"
