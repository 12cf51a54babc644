"""A real browser for the page: Debian's Chromium without a window, and without anything that looks for a network.

    python -m tests.report.browser report.html docs/images/report.png

takes the picture that the README shows.
"""

from __future__ import annotations

import base64
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

WORDS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 90.0


def programs() -> tuple[str, str]:
    """Return where the browser and its driver are; without them, fail where CI must have them and skip elsewhere."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if programs[0] is None or programs[1] is None:
        reason = "chromium and chromedriver are needed to test the page; on Debian: apt install chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return programs[0], programs[1]


def started(profile: Path) -> webdriver.Chrome:
    """Start a browser with a profile of its own."""
    chromium, driver = programs()
    options = Options()
    options.binary_location = chromium
    for word in (*WORDS, f"--user-data-dir={profile}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


class Shown:
    """A page in a browser."""

    def __init__(self, driver: webdriver.Chrome, path: Path) -> None:
        self.driver, self.path = driver, path

    def open(self, *, width: int = 1600, scheme: str = "light") -> None:
        """Load the page afresh at a width and in a colour scheme, and wait until its charts are drawn."""
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
        self.driver.get(self.path.as_uri())
        until = time.monotonic() + PATIENCE
        while self.run("return document.documentElement.dataset.drawn") != "yes":
            assert time.monotonic() < until, f"the charts were not drawn: {self.said()}"
            time.sleep(0.05)

    def run(self, code: str, *given: Any) -> Any:
        """Run code in the page and return what it returns."""
        return self.driver.execute_script(code, *given)

    def said(self) -> list[Mapping[str, Any]]:
        """Return what went to the console since the last call."""
        return list(self.driver.get_log("browser"))

    def picture(self, height: int) -> bytes:
        """Return the top of the page as PNG."""
        width = self.run("return document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        return base64.b64decode(taken["data"])


def main(page: str, image: str) -> None:
    """Take the picture of a page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        driver = started(Path(folder))
        try:
            shown = Shown(driver, Path(page).resolve())
            shown.open(width=1280)
            Path(image).write_bytes(shown.picture(1150))
        finally:
            driver.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
