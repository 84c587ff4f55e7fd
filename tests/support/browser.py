"""A real browser: Chromium without a window, driven by Selenium."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.support import axe

INSTALL = "apt-get install -y chromium chromium-driver"
SCREENSHOTS = Path(__file__).parents[2] / ".cache" / "screenshots"
"""Where pictures of pages are left for people to look at."""
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test that needs a browser; under ``CI=true``, where nothing may be skipped, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Browser:
    """One Chromium. What is done with it reads as what a person does."""

    def __init__(self) -> None:
        missing = [tool for tool in ("chromium", "chromedriver") if shutil.which(tool) is None]
        if missing:
            skip_or_fail(f"{' and '.join(missing)} not found: {INSTALL}")
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        self._profile = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for word in (*_OPTIONS, f"--user-data-dir={self._profile.name}"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))

    def close(self) -> None:
        self.driver.quit()
        self._profile.cleanup()

    def open(self, url: str | Path, *, width: int = 1280, dark: bool = False, script: bool = True) -> None:
        """Go to a page."""
        self.look(width=width, dark=dark)
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        self.messages()
        self.driver.get(url.as_uri() if isinstance(url, Path) else url)

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """The size of the window, and what the person prefers."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def do(self, script: str, *arguments: Any) -> Any:
        """What a piece of JavaScript gives back."""
        return self.driver.execute_script(script, *arguments)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def one(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of what is to be seen."""
        found: list[str] = self.do(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter(each => each.checkVisibility()).map(each => (each.innerText ?? each.textContent).trim())",
            selector,
        )
        return found

    def press(self, *keys: str) -> None:
        """Keys on what has the focus."""
        from selenium.webdriver import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def wait(self, truth: Any, seconds: float = 10) -> None:
        """Wait until something holds; a page that changes meanwhile is asked again."""
        from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        passing = (NoSuchElementException, StaleElementReferenceException)
        WebDriverWait(self.driver, seconds, 0.05, passing).until(lambda _: truth())

    def messages(self) -> list[str]:
        """What the browser complained of since the last question: errors of scripts, refusals of the page's policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, name: str, *, width: int = 1280, dark: bool = False) -> Path:
        """Leave a picture of the whole page."""
        self.look(width=width, dark=dark)
        height = self.do("return document.documentElement.scrollHeight")
        self.look(width=width, height=min(height, 4000), dark=dark)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}-{width}-{'dark' if dark else 'light'}.png"
        self.driver.save_screenshot(str(path))
        self.look(width=width, dark=dark)
        return path

    def faults(self) -> list[str]:
        """What axe-core finds: each rule with the places that break it."""
        try:
            self.do(axe.script())
        except axe.AxeMissing as error:
            skip_or_fail(str(error))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run({resultTypes: ['violations']}).then(found => done(JSON.stringify(found)))"
        )
        return [
            f"{fault['id']}: {fault['help']}: {' | '.join(node['html'][:160] for node in fault['nodes'][:3])}"
            for fault in json.loads(found)["violations"]
        ]
