"""The report's views: what they say, and that no text of users does anything in them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipegen.errors import FileError
from pipegen.records.report import Chart, Report, Series
from pipegen.views.mail import message
from pipegen.views.report import charts, look
from pipegen.views.report.letter import letter
from pipegen.views.report.markdown import md
from pipegen.views.report.page import page
from pipegen.views.report.remark import remark
from pipegen.views.report.text import text
from pipegen.views.report.write import write
from tests.support.browser import Browser
from tests.views.reports import PNG, report

HOSTILE = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}\x1b[2J\x00\u202e"
    "|`@everyone #1 \n/close\n[a](javascript:x)"
)


class Seen(HTMLParser):
    """Elements and attributes, and the text between."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


# ------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "base", "better", "expected"),
    [
        (0.75, 0.8, "up", ("▼", "-0.05 (-6.25%)", "worse")),
        (0.9, 0.8, "up", ("▲", "+0.1 (+12.5%)", "better")),
        (110.0, 100.0, "down", ("▲", "+10 (+10%)", "worse")),
        (90.0, 100.0, "", ("▼", "-10 (-10%)", "")),
        (0.1 + 0.2, 0.3, "up", ("=", "no change", "same")),
        (5.0, 0.0, "up", ("▲", "+5", "better")),
        (-5.0, -4.0, "down", ("▼", "-1 (-25%)", "better")),
        (1.0, None, "up", ("", "", "")),
        (float("nan"), 1.0, "up", ("", "", "")),
        (1.0, float("inf"), "up", ("", "", "")),
    ],
)
def test_how_a_number_moved(
    value: float, base: float | None, better: str, expected: tuple[str, str, str]
) -> None:
    found = look.compared(value, base, better)  # type: ignore[arg-type]
    assert (found.arrow, found.says, found.judged) == expected


def test_sparklines() -> None:
    assert look.sparkline([0, 1, 2, 7]) == "▁▂▃█"
    assert look.sparkline([5, 5]) == "▄▄"
    assert charts.spark([0, 10], width=106, height=26) == "3.0,23.0 103.0,3.0"


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-1e150, 1e150), st.floats(-1e150, 1e150)), min_size=1, max_size=20))
def test_all_points_lie_within_the_axes(points: list[tuple[float, float]]) -> None:
    made = charts.drawn(Chart(shape="scatter", x="", y="", series=(Series(name="s", points=tuple(points)),)))
    ((_, _, places),) = made.dots
    assert len(places) == len(points)
    for x, y in places:
        assert made.left - 1 <= x <= made.right + 1 and made.top - 1 <= y <= made.bottom + 1
    assert len(made.x_ticks) < 60 and len(made.y_ticks) < 60


# ------------------------------------------------------------------------------------------------- content


def test_text_and_page_say_the_same() -> None:
    made = report()
    twin, shown = text(made), " ".join("".join(Seen(page(made)).words).split())
    for words in (
        "the gate no_worse failed",
        "Look at the gate no_worse: improve the model.",
        "Newest quarter",
        "1.2 MB → 1.3 MB",
        "0.0 → 1.0",
        "python a.py → python b.py",
        "production (house-price v1.0.0, 1696d0ec6d)",
        "-0.05 (-6.25%)",
        "+10 (+10%)",
        "not a number",
        "3 gates: 1 passed, 1 failed, 1 waived",
        "waived by Ann until 2026-12-31: few sales",
        "red since 2026-11-21 (0e2728e3ce)",
        "46,939",
        "7 tests of 2 stages: 5 passed, 1 failed, 1 skipped",
        "test_best",
        "exit code 1",
        "It is no kind of plot that a report can show.",
        "Something is missing.",
    ):
        assert words.lower() in " ".join(twin.split()).lower(), words
        assert words.lower() in shown.lower(), words
    assert max(map(len, twin.splitlines())) <= 125


def test_a_report_of_nothing_is_one_too() -> None:
    empty = Report(pipeline="p")
    for made in (text(empty), page(empty), letter(empty).html, remark(empty)):
        assert "No metrics are known." in made


def test_the_page_needs_no_network_and_runs_no_script() -> None:
    seen = Seen(page(report()))
    assert not {"script", "iframe", "object", "form", "base"} & set(seen.tags)
    sources = [value for name, value in seen.attributes if name in ("src", "href")]
    outside = [value for value in sources if not value.startswith(("data:", "pictures/", "report.txt"))]
    assert outside == ["https://ci.example.com/job/houses/12/"]


def test_the_letter_has_its_pictures_and_one_id_for_a_run() -> None:
    one, other = letter(report()), letter(report())
    assert one.about == other.about == "report house-prices nightly 0123456789ab"
    assert list(one.pictures) == ["plot-2"] and one.pictures["plot-2"].data == PNG
    seen = Seen(one.html)
    assert [value for name, value in seen.attributes if name == "src"] == ["cid:plot-2"]
    assert not {"script", "style", "svg", "link"} & set(seen.tags)
    assert "4 more plots in the whole report" in one.html


def test_the_comment() -> None:
    said = remark(report())
    assert said.startswith("### ✗ house&#45;prices nightly 12: the gate no&#95;worse failed\n")
    assert (
        "| r2 <sub>best&#46;json</sub> | 0&#46;8 | **0&#46;75** | ▼ &#45;0&#46;05 (&#45;6&#46;25&#37;&#8203;) worse |"
        in said
    )
    assert "| no&#95;worse | 32548 | at most 2&#37;&#8203; above production | ✗ failed |" in said
    assert "7 tests of 2 stages" in said
    assert said.endswith(
        "[The build with the whole report](https://ci.example.com/job/houses/12/) of 0e2728e3ce\n"
    )


# ------------------------------------------------------------------------------------------------- hostile text


def test_hostile_text_is_text_everywhere() -> None:
    calm, made = report(), report(HOSTILE)
    for draw in (page, lambda each: letter(each).html):
        one, other = Seen(draw(calm)), Seen(draw(made))
        assert one.tags == other.tags
        assert [name for name, _ in one.attributes] == [name for name, _ in other.attributes]
        assert not re.search("[\x00\x1b\u202e]", draw(made))
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text(made))
    said = remark(made)
    assert (
        "<script" not in said
        and "@everyone" not in said
        and "](javascript" not in said
        and "\n/close" not in said
    )
    assert len(said.splitlines()) == len(remark(calm).splitlines())
    handed_in = message(letter(made), "a@example.com", ["b@example.com"], sent=0)
    assert "\n" not in handed_in["Subject"] and len(handed_in["Subject"]) <= 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=40))
def test_no_text_changes_the_shape_of_a_page(words: str) -> None:
    made = report(words)
    assert Seen(letter(made).html).tags == _TAGS


_TAGS = Seen(letter(report()).html).tags


@given(st.text(max_size=80))
def test_markdown_has_no_sign_of_structure_and_no_mention(words: str) -> None:
    said = md(words)
    assert "\n" not in said and "\r" not in said
    bare = re.sub(r"&#\d+;", "", said)
    assert not set(bare) & set('<>|`*_~[]{}\\@#&!"$%^:.-')
    assert not re.search("&#(64|35);(?!&#8203;)", said)


def test_markdown_reads_as_it_was() -> None:
    from html import unescape

    said = md("r2_<b>|`x`| @ann, see #12 and GH-7 at www.example.com: 5% of *all*")
    assert (
        unescape(said).replace("\u200b", "")
        == "r2_<b>|`x`| @ann, see #12 and GH-7 at www.example.com: 5% of *all*"
    )
    assert (
        "@\u200bann" in unescape(said) and "GH\u200b-7" in unescape(said) and "www\u200b." in unescape(said)
    )


# ------------------------------------------------------------------------------------------------- files


def test_files_are_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(report(plots=1), tmp_path)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["2.png", "3.svg"]
    before = (tmp_path / "index.html").read_bytes()
    monkeypatch.setattr(Path, "write_bytes", _full)
    with pytest.raises(FileError, match=r"can't write .*report\.txt: No space left on device"):
        write(report("other"), tmp_path)
    monkeypatch.undo()
    assert (tmp_path / "index.html").read_bytes() == before
    assert not list(tmp_path.glob(".*"))
    write(Report(pipeline="p"), tmp_path)
    assert not list((tmp_path / "pictures").iterdir())


def _full(path: Path, content: bytes) -> int:
    import errno

    path.touch()
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.browser
def test_it_looks_the_same_on_a_desk_and_on_a_phone(chromium: Browser, tmp_path: Path) -> None:
    write(report(metrics=20, plots=2), tmp_path)
    chromium.open(tmp_path / "index.html")
    for dark in (False, True):
        for width in (1100, 400):
            chromium.picture("report", width=width, dark=dark)
            chromium.look(width=width, dark=dark)
            assert chromium.do("return document.documentElement.scrollWidth") == width
            assert chromium.faults() == []
    assert chromium.do("return [...document.images].every(image => image.naturalWidth > 0)")
    assert chromium.messages() == []
