"""Drawings as text, Mermaid and dot, and that no name breaks one."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipegen.plan.graph import Graph
from pipegen.views.graph import Drawing, dot, dot_text, mermaid, mermaid_text, text
from pipegen.views.plain import plain

SIGNS = "ab \"'`[](){}<>&#;:%\\\n\r\t\x1b|_-.*é機😀\u2028\u202e"
NAMES = st.text(st.sampled_from(SIGNS) | st.characters(), max_size=12)
WIDE = Graph({"a": [], **{f"t@{i}": ["a"] for i in range(60)}, "z": [f"t@{i}" for i in range(60)]})
ITEMS = {f"t@{i}": "t" for i in range(60)}


def test_text() -> None:
    graph = Graph({"get": [], "train": ["get"], "test": ["get", "train"]})
    assert text(Drawing("houses", graph)) == (
        "houses: 3 stages in 3 levels, at most 1 at once\n"
        "\n"
        "○  get\n"
        "○  train\n"
        "○  test\n"
    )  # fmt: skip
    assert text(Drawing("houses", graph, every_need=True)).splitlines()[2:] == [
        "○    get",
        "├─╮",
        "○ │  train",
        "├─╯",
        "○    test",
    ]


def test_nothing_to_draw() -> None:
    assert text(Drawing("houses", Graph({}))) == "houses: no stages\n"
    assert mermaid(Drawing("houses", Graph({}))) == "flowchart TD\n"


def test_text_for_a_terminal_without_the_signs() -> None:
    graph = Graph({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]})
    assert text(Drawing("x", graph), ascii_only=True).isascii()


def test_many_stages_fold_by_themselves_and_say_so() -> None:
    drawn = text(Drawing("wide", WIDE, ITEMS))
    assert drawn.splitlines() == [
        "wide: 62 stages in 3 levels, at most 60 at once",
        "",
        "○  a",
        "○  t@* (60)",
        "○  z",
        "",
        "60 stages of 1 group folded; --no-fold draws each",
    ]
    assert "--no-fold" not in text(Drawing("wide", WIDE, ITEMS, folded=True))


def test_too_wide_for_lanes_becomes_levels() -> None:
    drawn = text(Drawing("wide", WIDE, ITEMS, folded=False))
    assert "○" not in drawn
    assert [line for line in drawn.splitlines() if line.startswith("level")] == [
        "level 1",
        "level 2",
        "level 3",
    ]
    assert re.findall(r"t@\d+", drawn)[:60] == [f"t@{i}" for i in range(60)]
    assert "after t@0, t@1, t@2, t@3, t@4, t@5, 54 more" in drawn
    assert max(map(len, drawn.splitlines())) <= 80


def test_few_stages_are_not_folded_unless_asked() -> None:
    graph, groups = Graph({"t@1": [], "t@2": []}), {"t@1": "t", "t@2": "t"}
    assert "t@1" in text(Drawing("x", graph, groups))
    assert "t@* (2)" in text(Drawing("x", graph, groups, folded=True))


def test_mermaid() -> None:
    graph = Graph({"get": [], "train@a": ["get"], "test": ["get", "train@a"]})
    assert mermaid(Drawing("houses", graph)) == (
        "flowchart TD\n"
        '  n0["get"]\n'
        '  n1["train@a"]\n'
        '  n2["test"]\n'
        "  n0 --> n1\n"
        "  n1 --> n2\n"
    )  # fmt: skip


def test_dot() -> None:
    graph = Graph({"get": [], "train@a": ["get"], "test": ["get", "train@a"]})
    assert dot(Drawing("houses", graph, every_need=True)).splitlines() == [
        'digraph "houses" {',
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
        '  n0 [label="get"];',
        '  n1 [label="train@a"];',
        '  n2 [label="test"];',
        "  n0 -> n1;",
        "  n0 -> n2;",
        "  n1 -> n2;",
        "}",
    ]


@pytest.mark.parametrize("draw", [mermaid, dot])
def test_all_are_drawn_unless_folding_is_asked_for(draw: object) -> None:
    assert callable(draw)
    assert draw(Drawing("wide", WIDE, ITEMS)).count("t@") == 60
    assert draw(Drawing("wide", WIDE, ITEMS, folded=True)).count("t@") == 1


@given(NAMES)
def test_plain_is_one_line_that_a_terminal_does_not_obey(name: str) -> None:
    shown = plain(name)
    assert shown.isprintable()
    assert name.isprintable() <= (shown == name)


def mermaid_reads(label: str) -> str:
    """What Mermaid shows: its `encodeEntities` takes digits between `#` and `;` for a character's number."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label)


@given(NAMES)
@example('a"] --> b["x')
@example("<script>alert(1)</script>")
@example("style: #1;")
@example("%%{init: {}}%%")
@example("`**bold**`")
@example("1. item")
@example("#quot;")
@example("end")
def test_mermaid_shows_any_name_and_obeys_none(name: str) -> None:
    label = mermaid_text(name)
    assert not set(label) & set("\"'`[]{}<>&%|*+=~^\\:\n\r")
    assert not re.search(r"#(?!\d+;)", label)
    assert not re.match(r"\s*([-+*]|\d+[.)])(\s|$)", label), "no Markdown list"
    assert mermaid_reads(label) == plain(name)


def dot_reads(quoted: str) -> str:
    """What Graphviz shows: its scanner takes `\\"` for a quote, then a label's escapes and HTML's entities are read."""
    assert quoted[0] == quoted[-1] == '"'
    inner = quoted[1:-1]
    assert re.fullmatch(r'(?:[^"\\]|\\["\\])*', inner), (
        "a quote that ends it, or an escape that means something"
    )
    return re.sub(r'\\(["\\])', r"\1", inner).replace("&amp;", "&")


@given(NAMES)
@example('a" [shape=circle]; "b')
@example("ends with \\")
@example("\\N \\G \\n")
@example("&lt;b&gt;")
@example("<b>html</b>")
def test_dot_shows_any_name_and_obeys_none(name: str) -> None:
    quoted = dot_text(name)
    assert dot_reads(quoted) == plain(name)
    assert not re.search(r"&(?!amp;)", quoted)


@given(st.lists(NAMES, unique=True, min_size=1, max_size=4))
def test_hostile_names_change_no_structure(names: list[str]) -> None:
    graph = Graph({name: names[:index][-1:] for index, name in enumerate(names)})
    drawing = Drawing(names[0], graph)
    edges = len(names) - 1
    lines = mermaid(drawing).splitlines()
    assert len(lines) == 1 + len(names) + edges
    assert sum("-->" in line for line in lines) == edges
    lines = dot(drawing).splitlines()
    assert len(lines) == 3 + len(names) + edges
    assert sum(bool(re.fullmatch(r"  n\d+ -> n\d+;", line)) for line in lines) == edges
    assert len(text(drawing).splitlines()) == 2 + len(names)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pydot's own
@given(st.lists(NAMES, unique=True, min_size=1, max_size=4))
def test_dot_is_read_by_another_program(names: list[str]) -> None:
    import pydot  # comes with DVC

    graph = Graph({name: names[:index][-1:] for index, name in enumerate(names)})
    (read,) = pydot.graph_from_dot_data(dot(Drawing("x", graph))) or ()
    labels = [node.get_label() for node in read.get_nodes() if node.get_name() != "node"]
    assert list(map(dot_reads, labels)) == list(map(plain, names))
    assert len(read.get_edges()) == len(names) - 1
