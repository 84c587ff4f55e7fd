"""The page as text: what users wrote never becomes a part of it, and it is complete without a script."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings

from pipegen.records import Approval, Link, RunView, StageView
from pipegen.views.html import Place, bars, blocks, page
from pipegen.views.markup import address
from pipegen.views.plain import plain
from tests.views.pictures import forecasts, house_prices, runs

WORDS = ("server", "state", "outcome", "taken", "started", "since")
"""Fields whose words are the program's own."""


def places(run: RunView) -> tuple[Place, Place]:
    """In a file, and served with logs."""
    logs = {stage.name: f"log?stage={index}" for index, stage in enumerate(run.stages)}
    return Place(up="../../"), Place(live=True, logs=logs)


class Parsed(HTMLParser):
    """What a browser makes of a page: its elements with the names of their attributes, its links, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "data-log", "action")]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", ()))


class Neutral:
    """The same picture with every text replaced by a harmless one: equal texts by equal ones, links by links."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {"": "", "log": "log"}

    def of(self, value: Any, name: str = "") -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: self.of(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}
            return dataclasses.replace(value, **fields)
        if isinstance(value, tuple):
            return tuple(self.of(each, name) for each in value)
        if not isinstance(value, str) or name in WORDS:
            return value
        if name == "url":
            return "https://ci.example.com/" if address(value) else ""
        return self._words.setdefault(value, f"word{len(self._words)}")


@settings(max_examples=40)
@given(run=runs())
def test_no_text_of_users_becomes_a_part_of_the_page(run: RunView) -> None:
    harmless = Neutral().of(run)
    for place, other in zip(places(run), places(harmless), strict=True):
        assert Parsed(page(run, place)).elements == Parsed(page(harmless, other)).elements


@settings(max_examples=40)
@given(run=runs())
def test_links_lead_over_http_or_to_paths_beside_the_page(run: RunView) -> None:
    for place in places(run):
        for link in Parsed(page(run, place)).links:
            assert re.match(r"https?://|#\w+$|\.\./|data:,$|log\?|[^/:?#\\]+(/|$|%)", link), link


@settings(max_examples=40)
@given(run=runs())
def test_every_stage_is_in_the_graph_and_in_the_table_under_its_name(run: RunView) -> None:
    parsed = Parsed(page(run))
    keys = [f"s{index}" for index in range(len(run.stages))]
    assert [each for each in parsed.ids if re.fullmatch(r"s\d+", each) and each in keys] == [
        key for block in blocks(run) for key in block.stages
    ]
    assert {each for each in parsed.ids if re.fullmatch(r"n-s\d+", each)} == {f"n-{key}" for key in keys}
    assert len(parsed.ids) == len(set(parsed.ids))
    for stage in run.stages:
        assert plain(stage.name) in parsed.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "//evil.example.com/",
        "\\\\evil",
        "vbscript:x",
        "",
    ],
)
def test_a_link_to_anything_else_is_none(url: str) -> None:
    assert address(url, "../") == ""


def test_paths_are_relative_to_the_description_wherever_the_page_lies() -> None:
    run = RunView(
        pipeline="p", stages=(StageView(name="a", links=(Link("log", ".pipegen/logs/a #1?.log"),)),)
    )
    assert 'href="../../.pipegen/logs/a%20%231%3F.log"' in page(run, Place(up="../../"))


def test_groups_are_one_box_each_with_a_cell_for_each_stage_and_all_can_be_drawn() -> None:
    run = forecasts()
    text = page(run)
    assert len(re.findall(r'id="n-', text)) == 7
    assert len(re.findall(r'class="cell ', text)) == 300
    assert len(re.findall(r'id="e-s\d+"', text)) == len(run.stages)
    assert len(text) < 600_000


def test_an_approval_says_who_is_waited_for_and_leads_there() -> None:
    asked = Approval(by="leads", message="promote?", url="https://ci.example.com/input")
    text = page(RunView(pipeline="p", state="approval", approval=asked))
    assert "Waits for leads</strong>: promote?" in text
    assert 'href="https://ci.example.com/input"' in text
    assert "javascript" not in page(RunView(pipeline="p", approval=Approval(url="javascript:alert(1)")))


def test_few_stages_are_drawn_each() -> None:
    text = page(house_prices())
    assert len(re.findall(r'id="n-s\d+"', text)) == 9
    assert "Draw every stage" not in text


def test_bars_show_when_stages_ran() -> None:
    found = bars(house_prices())
    assert found["s0"][0] == 0
    begins = [begin for begin, _ in found.values()]
    assert begins == sorted(begins)
    assert all(begin + length <= 101 for begin, length in found.values())


def test_the_policy_allows_the_own_style_and_script_alone() -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page(house_prices()))
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    assert "connect-src &#39;none&#39;" in policy


def _elements(text: str) -> Iterator[str]:
    yield from (tag for tag, _ in Parsed(text).elements)


def test_the_page_needs_no_network() -> None:
    text = page(house_prices())
    assert {"img", "iframe", "object", "form"} & set(_elements(text)) == set()
    assert re.findall(r"url\(|@import|src=", text) == []
