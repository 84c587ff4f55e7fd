"""Our reading of YAML and DVC's (ruamel.yaml) agree; what has no place in a description is refused in its place."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipegen.dvc.yaml12 import DEEPEST, LARGEST_FILE, parse
from pipegen.errors import DescriptionError

WORDS = """
on On ON off yes Yes no NO y Y n N true True TRUE tRUE false False FALSE null Null NULL nULL none ~ ~~ 0 -0 +0
00 007 010 08 09 0o7 0o17 +0o7 0o8 0o 0O7 0777 0b1 0b12 -0b1 0B1 0x1F 0xg -0x1 0X1 _ _1 1_ 1_000 1__0 +1 -1
--1 +-1 - + 1,000 1/2 .. .5 5. -.5 +.5 .5e3 .5e+3 1e3 1E3 1e+3 1e-3 1.5e3 1.e3 1_0.5 1._5 ._1 .1_ 0._ 1e1_ e1
.e1 0.e1 +.e3 1e5_0 12e03 0.1.2 0.0 -0.0 1e5 1e-05 inf nan .Nan .iNF .INFx 123456789012345678901234567890 1:30
1:30:45 190:20:30.15 22:22 12:30:45 2026-01-01 2026-1-1 2026-01 20260101 2026-01-01T10:00:00Z
2026-01-01t10:00:00+02:00 2026-01-01T10:00:00 2026-01-01T10:00:00.5 2026-01-01T10:00:00-0230 '' "" 'on' "1"
'~' a:b a#b #comment null~ text x=y == a<<b <<< é 東 🧪
""".split()  # noqa: SIM905
PHRASES = [
    "2026-01-01 10:00:00",
    "2026-01-01 10:00:00 +2",
    "2026-01-01  10:00:00 Z",
    "0 1",
    "a b",
    "a #b",
    "'it''s'",
    '"\\u00e9\\t"',
]
REFUSED_BY_BOTH = [
    "=",
    "<<",
    "@",
    "`x`",
    "*x",
    "%",
    "a: b",
    "'x",
    "[1",
    "{a",
    "!foo 1",
    "2026-13-45",
    "a:\tb",
    "x\ty",
    "|\tx",
    "0x_",
    "._",
]


def by_dvc(text: str) -> Any:
    return YAML(typ="safe").load(text)


def ours(text: str) -> Any:
    return parse(text, "dvc.yaml").value


def refusal(text: str) -> str:
    with pytest.raises(DescriptionError) as caught:
        ours(text)
    (problem,) = caught.value.problems
    return f"{problem.line}:{problem.column} {problem.message}"


@pytest.mark.parametrize("word", WORDS + PHRASES)
@pytest.mark.parametrize("form", ["key: {}\n", "- {}\n", "{}: value\n", "[{}]\n"])
def test_a_word_means_what_it_means_to_dvc(word: str, form: str) -> None:
    text = form.format(word)
    try:
        expected = by_dvc(text)
    except YAMLError:
        with pytest.raises(DescriptionError):
            ours(text)
        return
    found = ours(text)
    assert found == expected
    assert repr(found) == repr(expected) or "datetime" in repr(expected)  # DVC's time zones have names


@pytest.mark.parametrize("word", REFUSED_BY_BOTH)
def test_refused_by_dvc_and_here(word: str) -> None:
    text = f"key: {word}\n"
    with pytest.raises((YAMLError, ValueError)):
        by_dvc(text)
    assert refusal(text).startswith(("1:", "2:"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only a comment\n",
        "---\n",
        "---\na: 1\n...\n",
        "\ufeffa: 1",
        "%YAML 1.2\n---\na: on\n",
        "a: &x {b: 1}\nc:\n  <<: [*x, {b: 2, d: 3}]\n  b: 4\n",
        "a: &x [1]\nb: *x\n",
        "? a\n: b\n",
        "? |\n  a\n: 1\n",
        "&a a: *a\n",
        "a: >-\n  b\n  c\n\n  d\n",
        "a: |+\n  b\n\n",
        "a: |2-\n    b\n",
        "a: b\n  c\n",
        "a: 'b\n\n  c'\n",
        'a: "b\\\n  c"\n',
        "1: a\n'1': b\n",
        "a: |\n  x\ty\n  # no comment\n",
        "a: [x,\ty] # a\tb\n",
        "# c\td\na: 'e\tf'\n",
        "a: !!str 1\n",
        "a: !!int '3'\n",
        "a:\n- b\n- c: d\n  e: f\n-\n  - g\n",
        "{a: [b, {c: d}], e: }\n",
        'a: "\\u2028"\n',
        "a: &x\n",
        "a:\n- \n",
        "5: 6\ntrue: 7\nnull: 8\n1.5: 9\n",
    ],
)
def test_documents_mean_what_they_mean_to_dvc(text: str) -> None:
    try:
        expected = by_dvc(text)
    except YAMLError:
        with pytest.raises(DescriptionError):
            ours(text)
    else:
        assert repr(ours(text)) == repr(expected)


_tokens = st.sampled_from(
    [
        *WORDS,
        *PHRASES,
        "key",
        "- ",
        "  ",
        "\n",
        ": ",
        "- a\n",
        "k: v\n",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "|\n",
        ">-\n",
        "# c\n",
        "? ",
        "\t",
        "=",
        "&a ",
        "*a",
    ]
)
_lines = st.lists(_tokens, max_size=5).map("".join)
_plain = st.recursive(
    st.sampled_from([*WORDS, *PHRASES]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "on", "1"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def written(value: Any, indent: str = "") -> str:
    if isinstance(value, dict) and value:
        return "".join(f"\n{indent}{key}: {written(item, indent + '  ')}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"\n{indent}- {written(item, indent + '  ')}" for item in value)
    return str(value)


@settings(max_examples=300, deadline=None)
@given(st.lists(_lines, max_size=4).map("\n".join) | _plain.map(written))
def test_random_documents_mean_what_they_mean_to_dvc(text: str) -> None:
    try:
        found = ours(text)
    except DescriptionError:
        return  # stricter than DVC on purpose; that it is not too strict, the next test says
    assert found == by_dvc(text)


@settings(max_examples=200, deadline=None)
@given(_plain.map(written))
def test_random_right_documents_are_read(text: str) -> None:
    try:
        expected = by_dvc(text)
    except YAMLError:
        return
    assert ours(text) == expected


# ------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1 the key 'a' stands here twice"),
        ("a: 1\n'a': 2\n", "2:1 the key 'a' stands here twice"),
        ("x:\n  - {b: 1, b: 2}\n", "2:12 the key 'b' stands here twice"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "1:4 the tag !!python/object/apply:os.system is not allowed",
        ),
        ("a: !secret x\n", "1:4 the tag !secret is not allowed"),
        ("a: !!binary aGk=\n", "1:4 the tag !!binary is not allowed"),
        ("a: !!set {x}\n", "1:4 the tag !!set is not allowed"),
        ("a: !!timestamp x\n", "1:4 x is not a date"),
        ("a: .nan\n", "1:4 .nan is not a finite number"),
        ("a: -.inf\n", "1:4 -.inf is not a finite number"),
        ("a: 1e400\n", "1:4 1e400 is not a finite number"),
        (f"a: {'1' * 5000}\n", f"1:4 {'1' * 40}… is not a whole number that can be read"),
        ("a: 2026-02-30\n", "1:4 2026-02-30 is not a date"),
        ("a: =\n", "1:4 = is not text but a sign of YAML's own"),
        ("[a]: 1\n", "1:1 a key must be plain text"),
        ("<<: 5\n", "1:5 `<<` takes a mapping or a list of mappings"),
        (
            "a: 1\nb: x\x01y\n",
            "2:5 is not valid YAML: unacceptable character #x0001: control characters are not allowed",
        ),
        (
            "a: \x00\n",
            "1:4 is not valid YAML: unacceptable character #x0000: control characters are not allowed",
        ),
        (
            "a: b\nc: d\u2028e\n",
            "2:5 the character U+2028 is a line break to some readers of YAML and none to others",
        ),
        ("a:\tb\n", "1:3 a tab stands where DVC takes spaces only"),
        ("a: 'x\ty'\nb: c\t# 'd\n", "2:5 a tab stands where DVC takes spaces only"),
        ("%YAML 1.1\n---\na: on\n", "1:1 asks for another YAML than 1.2, so DVC would read other values"),
        ("a: 1\n---\nb: 2\n", "2:1 is not valid YAML: but found another document"),
        ("a: b\n c: d\n", "2:3 is not valid YAML: mapping values are not allowed in this context"),
        ("[" * 200 + "]" * 200, f"1:{DEEPEST + 1} is nested more than 100 levels deep"),
        (
            "\n".join(" " * depth + "a:" for depth in range(200)),
            f"{DEEPEST + 1}:{DEEPEST + 1} is nested more than 100 levels deep",
        ),
        ("a: &a [*a]\n", "1:1 its aliases expand to more than 500,000 values"),
    ],
)
def test_refused_with_its_place(text: str, message: str) -> None:
    assert refusal(text) == message


def test_a_lone_surrogate_is_refused() -> None:
    assert refusal("a: \ud800\n").startswith("1:4 is not valid YAML")


def test_an_alias_bomb_is_refused_at_once() -> None:
    levels = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join(['*' + below] * 10)}]" for below, name in pairwise(levels)]
    assert "aliases expand" in refusal("\n".join(lines))


def test_a_bomb_of_merge_keys_is_refused_at_once() -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 9)]
    assert "aliases expand" in refusal("\n".join(lines))


def test_ten_megabytes_are_refused_unread() -> None:
    assert (
        refusal("a: b\n" * (2 * 2**20))
        == f"0:0 is larger than {LARGEST_FILE // 2**20} MiB, the most that pipegen reads of one file"
    )


def test_all_mistakes_of_a_file_at_once() -> None:
    with pytest.raises(DescriptionError) as caught:
        ours("a: .nan\nb: !x 1\na: 2\n")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]


def test_a_problem_points_at_values_and_keys() -> None:
    document = parse("base: &b\n  x: 1\nstages:\n  s:\n    <<: *b\n    deps: [a, b]\n", "dvc.yaml")
    where = {
        ("stages", "s", "deps", 1): (6, 15),
        ("stages", "s", "x"): (2, 6),
        ("stages", "s", "gone", "further"): (5, 5),
        (): (1, 1),
    }
    for path, place in where.items():
        problem = document.problem(path, "is wrong")
        assert (problem.line, problem.column) == place
    problem = document.problem(("stages", "s", "deps"), "is wrong", key=True)
    assert (problem.line, problem.column, problem.source) == (6, 5, "    deps: [a, b]")


def test_a_problem_in_an_empty_file_has_no_place() -> None:
    assert parse("# nothing\n", "dvc.yaml").problem(("a",), "is missing").place == "dvc.yaml"


def test_the_numbers_of_python_survive() -> None:
    for number in (0.1, 1e-300, 1e22, math.pi, 2**70, -1):
        assert ours(f"a: {number!r}\n") == {"a": number}
