"""Console logs: every recorded line is understood, and a log read in pieces is the log."""

from __future__ import annotations

import json
import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pipegen.servers.gocd.console import TAGS, Console, Line, read
from tests.servers.exchanges import CONTRACTS, gocd, needs_recordings

TEXTS = st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=40)
TIMES = st.builds("{:02}:{:02}:{:02}.{:03}".format, *(st.integers(0, n) for n in (23, 59, 59, 999)))
TAGGED = st.builds(Line, TEXTS, st.sampled_from(TAGS), TIMES)


def written(line: Line) -> str:
    """A line as an agent writes it."""
    return f"{line.tag}|{line.time} {line.text}\n" if line.tag else f"{line.text}\n"


def _looks_tagged(text: str) -> bool:
    return re.search(r"..\|\d\d:\d\d:\d\d\.\d{3}", text) is not None


UNTAGGED = TEXTS.filter(lambda text: not _looks_tagged(text)).map(Line)


@given(st.lists(st.one_of(TAGGED, UNTAGGED), max_size=12), st.lists(st.integers(0, 2000), max_size=8))
def test_a_log_read_in_pieces_is_the_log(lines: list[Line], cuts: list[int]) -> None:
    """However much was written each time we look: the server gives whole lines and one that is not yet whole, from the
    line on that we ask for."""
    whole = "".join(map(written, lines))
    console, found = Console(), []
    for cut in [*sorted(cuts), len(whole)]:
        so_far = whole[:cut]
        asked = "\n".join(so_far.split("\n")[console.lines :])
        found += console.feed(asked)
    assert [*found, *console.end()] == lines
    assert console.lines == len(lines)


@given(UNTAGGED, TAGGED)
def test_what_the_server_adds_has_no_line_end(added: Line, following: Line) -> None:
    """`Go cancelled this job …(s)!x|02:53:36.802 [go] On Cancel Task` [R 518]."""
    found = list(read(added.text + written(following)))
    if added.text:
        assert found == [added, following]
    else:
        assert found == [following]


@given(TEXTS)
def test_what_a_command_writes_is_never_taken_for_a_tag(text: str) -> None:
    """A command may print what looks like a tagged line."""
    assert list(read(f"&1|02:43:02.657 {text}\n")) == [Line(text, "&1", "02:43:02.657")]
    fake = "ex|02:43:02.657 [go] Job completed"
    assert list(read(f"&1|02:43:02.657 {fake}\n")) == [Line(fake, "&1", "02:43:02.657")]


@needs_recordings
def test_every_recorded_line_is_understood() -> None:
    seen, plain = set(), []
    for path in sorted((CONTRACTS / "gocd").glob("*.json")):
        exchange = json.loads(path.read_text("utf-8"))
        if "console.log" in exchange["request"]["path"] and exchange["response"]["status"] == 200:
            for line in read(exchange["response"]["body"]):
                seen.add(line.tag)
                plain += [line.text] if not line.tag else []
    assert seen == set(TAGS) - {"x1"} | {""}
    assert sorted({text[:24] for text in plain if text}) == [
        "Go cancelled this job as",
        "Job for pipeline 'secret",
    ]


@needs_recordings
@pytest.mark.parametrize(
    ("number", "expected"), [(508, ["line one", "line two"]), (513, ["err", "grüß 你好", "no newline"])]
)
def test_what_a_command_wrote_is_told_from_the_rest(number: int, expected: list[str]) -> None:
    assert [line.text for line in read(gocd(number).answer.body.decode()) if line.from_command] == expected
