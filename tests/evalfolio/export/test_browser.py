"""The report in headless Chromium: no request, no console error, slider by keyboard, axe-core."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.evalfolio.export.made import json_of

from evalfolio.export import write_report
from evalfolio.recommendations.recommendation import Recommendation

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    BROWSER is None or shutil.which("chromedriver") is None,
    reason="Chromium and chromedriver are not installed",
)
FLAGS = [
    f"--{flag}"
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-sync",
        "disable-background-networking",
        "disable-component-update",
        "hide-scrollbars",
    )
]
ARROW_LEFT, END = "\ue012", "\ue010"


class Page:
    """One tab, driven over the WebDriver protocol with nothing but the standard library."""

    def __init__(self, port: int, options: dict[str, Any]) -> None:
        self.root = f"http://127.0.0.1:{port}"
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        body = {"capabilities": {"alwaysMatch": wanted}}
        self.session = f"/session/{self.ask('POST', '/session', body)['sessionId']}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.root + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path: Path) -> None:
        self.ask("POST", f"{self.session}/url", {"url": path.as_uri()})

    def run(self, script: str, *arguments: object, wait: bool = False) -> Any:
        kind = "async" if wait else "sync"
        body = {"script": script, "args": list(arguments)}
        return self.ask("POST", f"{self.session}/execute/{kind}", body)

    def press(self, selector: str, keys: str) -> None:
        found = self.ask(
            "POST", f"{self.session}/element", {"using": "css selector", "value": selector}
        )
        (element,) = found.values()
        self.ask("POST", f"{self.session}/element/{element}/value", {"text": keys})

    def log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.ask("POST", f"{self.session}/se/log", {"type": kind})
        return entries

    def requests(self) -> list[str]:
        events = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def close(self) -> None:
        self.ask("DELETE", self.session)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    driver = subprocess.Popen(
        ["chromedriver", f"--port={number}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            time.sleep(0.1)
        yield number
    finally:
        driver.terminate()
        driver.wait(timeout=30)


@pytest.fixture
def tab(port: int, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def make(width: int = 1280, *, dark: bool = False) -> Page:
        profile = tmp_path / f"profile{len(pages)}"
        flags = [*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},900"]
        if dark:
            flags.append("--blink-settings=preferredColorScheme=0")
        options: dict[str, Any] = {"args": flags, "binary": BROWSER}
        if width < 500:
            metrics = {"width": width, "height": 844, "pixelRatio": 2}
            options["mobileEmulation"] = {"deviceMetrics": metrics}
        pages.append(Page(port, options))
        return pages[-1]

    yield make
    for page in pages:
        page.close()


@pytest.mark.parametrize("which", ["swept", "nasty"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_offline_without_an_error_and_fits_its_screen(
    which: str,
    width: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tab: Callable[..., Page],
) -> None:
    path = write_report(request.getfixturevalue(which), tmp_path / "report.html")
    page = tab(width)
    page.open(path)
    assert page.log("browser") == []
    asked = [url for url in page.requests() if not url.startswith(("data:", "chrome"))]
    assert asked == [path.as_uri()]
    assert page.run("return document.title") == "Which evals to run on GPT-5.5"
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_the_slider_moves_the_mix_by_keyboard(
    swept: Recommendation, tmp_path: Path, tab: Callable[..., Page]
) -> None:
    page = tab()
    page.open(write_report(swept, tmp_path / "report.html"))

    def shown() -> tuple[str, list[str], str]:
        rows = "[...document.querySelectorAll('#budget-mix tbody th')]"
        return (
            page.run("return document.getElementById('budget-shown').innerText"),
            page.run(f"return {rows}.map(e => e.innerText)"),
            page.run("return document.getElementById('frontier-dot').getAttribute('cx')"),
        )

    budget, names, place = shown()
    assert budget == "$30,000"
    assert set(names) == {row["eval"] for row in json_of(swept)["choices"]}
    page.press("#budget", ARROW_LEFT * 3)
    earlier, fewer, moved = shown()
    points = sorted(json_of(swept)["frontier"], key=lambda point: point["usd"])
    below = [point for point in points if point["usd"] < 30_000.0][-3]
    assert earlier == f"${below['usd']:,.0f}"
    assert set(fewer) == set(swept.menu.options.loc[below["options"], "eval"])
    assert float(moved) < float(place)
    said = "return document.getElementById('budget').getAttribute('aria-valuetext')"
    assert page.run(said) == earlier
    page.press("#budget", END)
    assert shown()[0] == "$40,000"


def test_paper_shows_what_the_screen_folds(
    swept: Recommendation, tmp_path: Path, tab: Callable[..., Page]
) -> None:
    page = tab()
    page.open(write_report(swept, tmp_path / "report.html"))
    page.ask("POST", f"{page.session}/print", {})
    assert page.run("return [...document.querySelectorAll('details')].every(d => d.open)")


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return axe-core's script, from EVALFOLIO_AXE or the npm registry."""
    given = os.environ.get("EVALFOLIO_AXE")
    if given:
        return Path(given).read_text("utf-8")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core: neither EVALFOLIO_AXE nor npm is there")
    folder = tmp_path_factory.mktemp("axe")
    got = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"],
        cwd=folder,
        capture_output=True,
        timeout=300,
    )
    if got.returncode:
        pytest.skip("axe-core could not be fetched from the npm registry")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_serious_fault(
    swept: Recommendation,
    tmp_path: Path,
    tab: Callable[..., Page],
    axe: str,
    width: int,
    dark: bool,
) -> None:
    page = tab(width, dark=dark)
    page.open(write_report(swept, tmp_path / "report.html"))
    assert page.run("return matchMedia('(prefers-color-scheme: dark)').matches") == dark
    page.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.run(axe)
    found = page.run("const done = arguments[0]; axe.run().then(done)", wait=True)
    assert len(found["passes"]) > 20
    faults = [
        (fault["id"], fault["impact"], [node["html"][:120] for node in fault["nodes"]][:3])
        for fault in found["violations"]
    ]
    assert [fault for fault in faults if fault[1] in ("serious", "critical")] == []
    assert faults == []
