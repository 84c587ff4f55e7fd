"""The page in a real browser: what a person sees, presses and hears."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from pipegen.records import RunView, StageView
from pipegen.views.html import page
from tests.support.browser import Browser
from tests.views.pictures import forecasts, house_prices

pytestmark = pytest.mark.browser
JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
"""What Jenkins sends with every artifact unless it is configured otherwise."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages to look at."""
    made = tmp_path_factory.mktemp("pages")
    for name, run in (("small", house_prices()), ("middle", forecasts(9)), ("large", forecasts())):
        (made / f"{name}.html").write_text(page(run), encoding="utf-8")
    return made


def test_it_shows_the_graph_and_the_table_for_every_eye(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "small.html")
    assert [node.get_attribute("aria-label") for node in chromium.all(".node")][:4] == [
        "ingest: ran, 12s",
        "clean: restored, 4.0s",
        "features: unchanged",
        "train@lasso: ran, 23s",
    ]
    assert chromium.texts("tr[data-state] .name")[3:6] == ["train@lasso", "train@forest", "train@boosting"]
    assert chromium.one("#s4 .result").text.split() == ["✗", "failed"]
    assert chromium.texts("#s3 .metric") == ["r2 0.8112", "rmse 23,457"]
    assert chromium.texts("#s1 .tests") == ["4 passed, 1 skipped"]
    colours = set()
    for dark in (False, True):
        for width in (1280, 400):
            chromium.picture("small", width=width, dark=dark)
            chromium.look(width=width, dark=dark)
            assert chromium.do("return document.documentElement.scrollWidth") == width
            assert chromium.faults() == []
        colours.add(chromium.do("return getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
    assert chromium.messages() == []


def test_boxes_are_where_they_were_put_and_names_fit_them(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "small.html")
    for inside in chromium.do(
        "return [...document.querySelectorAll('.node')].map(node => {"
        " const box = node.querySelector('.box').getBoundingClientRect();"
        " return [...node.querySelectorAll('text')].every(text => {"
        "  const place = text.getBoundingClientRect();"
        "  return place.left >= box.left && place.right <= box.right && place.bottom <= box.bottom }) })"
    ):
        assert inside


def test_three_hundred_stages_fold_and_unfold(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "large.html")
    assert len(chromium.all("#n-gs1, #n-gs61, #n-gs121, #n-gs181, #n-gs241")) == 5
    assert len(chromium.all(".graph:not(#every .graph) .cell")) == 300
    shown = (
        "return [...document.querySelectorAll('tr[data-state]')].filter(row => row.checkVisibility()).length"
    )
    assert chromium.do(shown) == 2
    chromium.picture("large")
    chromium.picture("large", dark=True)
    chromium.picture("large", width=400)
    assert chromium.do(shown) == 2
    chromium.look()
    chromium.one("#n-gs61").click()
    assert chromium.do(shown) == 62
    assert chromium.do("return document.activeElement.id") == "fold-gs61"
    chromium.one("#fold-gs61").click()
    chromium.one("#fold").click()
    assert chromium.do(shown) == 302
    chromium.one("#fold").click()
    chromium.one("#every > summary").click()
    assert len(chromium.texts("#every .node .name")) == 302
    chromium.picture("large-every-stage")
    assert chromium.messages() == []


def test_nothing_keeps_anybody_from_using_groups(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "middle.html", dark=True)
    assert chromium.faults() == []
    chromium.one("#fold").click()
    chromium.one("#every > summary").click()
    assert chromium.faults() == []


def test_stages_are_found_by_name_and_by_state(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "large.html")
    chromium.one("#find").send_keys("region-06")
    assert chromium.one("#found").text == "5 stages found"
    assert chromium.texts("tr[data-state] .name") == [
        f"{group}@region-06" for group in ("features", "train", "evaluate", "explain", "publish")
    ]
    chromium.one("#only [value=failed]").click()
    assert chromium.texts("tr[data-state] .name") == ["train@region-06"]
    assert chromium.texts(".group .toggle") == ["train"]
    chromium.one(".bad a").click()
    assert chromium.do("return document.activeElement.id") == "s67"


def test_everything_is_reached_by_keys(chromium: Browser, folder: Path) -> None:
    chromium.open(folder / "small.html")
    focus = "return document.activeElement.id"
    for _ in range(20):
        chromium.press(Keys.TAB)
        if chromium.do(focus) == "n-s0":
            break
    chromium.press(Keys.RIGHT, Keys.RIGHT, Keys.RIGHT)
    assert chromium.do(focus) == "n-s4"
    chromium.press(Keys.UP)
    assert chromium.do(focus) == "n-s3"
    chromium.press(Keys.DOWN, Keys.DOWN)
    assert chromium.do(focus) == "n-s5"
    assert len(chromium.all(".edges .near")) == 2
    chromium.press(Keys.ENTER)
    assert chromium.do(focus) == "s5"
    chromium.do("document.getElementById('n-s5').focus()")
    chromium.press(Keys.TAB)
    assert chromium.do(focus) == "find"
    for _ in range(20):
        chromium.press(Keys.TAB)
        if chromium.do(focus) == "fold-gs3":
            break
    chromium.press(Keys.ENTER)
    assert chromium.one("#fold-gs3").get_attribute("aria-expanded") == "false"
    assert not chromium.one("#s4").is_displayed()


@contextmanager
def served(folder: Path, policy: str) -> Iterator[str]:
    """Files as a server with a policy of its own sends them."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, *args: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_as_an_artifact_of_jenkins_it_is_readable_without_script_and_style(
    chromium: Browser, folder: Path
) -> None:
    with served(folder, JENKINS) as address:
        chromium.open(f"{address}/small.html")
        assert chromium.do("return document.styleSheets.length") == 0
        assert not chromium.one("#controls").is_displayed()
        boxes = chromium.do(
            "return [...document.querySelectorAll('.node .box')].map(box => getComputedStyle(box).stroke)"
        )
        assert len(boxes) == 9
        assert len(set(boxes)) == 4
        assert len(chromium.texts("tr[data-state] .name")) == 9
        chromium.picture("as-jenkins-serves-it")
        chromium.open(f"{address}/large.html")
        assert len(chromium.texts("tr[data-state] .name")) == 302
        chromium.one("#every > summary").click()
        assert chromium.one("#e-s301").is_displayed()


def test_texts_of_users_run_nowhere(chromium: Browser, tmp_path: Path) -> None:
    evil = "</style></script><img src=x onerror=\"document.title='hacked'\"><svg onload=\"document.title='hacked'\">"
    run = RunView(
        pipeline=evil,
        message=evil,
        commit=evil,
        stages=tuple(
            StageView(
                name=f"{evil}{i}", group=evil, message=evil, state="failed", tail=(evil,), reasons=(evil,)
            )
            for i in range(50)
        ),
    )
    (tmp_path / "evil.html").write_text(page(run), encoding="utf-8")
    chromium.open(tmp_path / "evil.html")
    chromium.one("#fold").click()
    assert evil in chromium.one("h1").text
    assert chromium.do("return document.title").startswith("○")
    assert chromium.all("img") == []
    assert chromium.messages() == []
