"""The script for web pages, in a browser that is set in all ways, on a page that is not llum's."""

import functools
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.viewing import viewing
from tests.system.harness import Llum, until
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.long

PAGE = """<!doctype html><html lang="en"><title>A page of somebody else</title><link rel="stylesheet" href="/page.css">
<p>Hello</p><script type="module" src="/page.js"></script>"""

FILES = {
    "/": ("text/html", PAGE),
    "/page.css": ("text/css", "p { background: var(--llum-color); font-family: var(--llum-font-family) }"),
    "/page.js": (
        "text/javascript",
        'import { applyPreferences } from "LLUM/static/llum-preferences.js"; window.apply = applyPreferences;',
    ),
}

FEATURES = {
    "prefers-color-scheme": ("light", "dark"),
    "prefers-contrast": ("no-preference", "more"),
    "prefers-reduced-motion": ("no-preference", "reduce"),
    "prefers-reduced-transparency": ("no-preference", "reduce"),
    "forced-colors": ("none", "active"),
}

BACKGROUND = "getComputedStyle(document.querySelector('p')).background"

HOSTILE = [
    "red; background: url(https://evil.example/a)",
    "url(https://evil.example/b)",
    "var(--x, url(https://evil.example/c))",
    "image-set('https://evil.example/d' 1x)",
    "}body{display:none",
    "expression(alert(1))",
    "rgb(0,0,0) url(x)",
    "\\75rl(https://evil.example/e)",
    "a b",
    "",
    "x" * 65,
    ["url(https://evil.example/f)"],
    ["red"],
    {"a": 1},
    None,
    1e300,
]


@pytest.fixture(scope="module")
def page_of_others(llum: Llum) -> Iterator[str]:
    """Where a page is served that takes no styles but its own, and scripts of llum."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = FILES.get(self.path, ("text/plain", ""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            policy = f"default-src 'none'; style-src 'self'; script-src 'self' {llum.http}; connect-src {llum.http}"
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(text.replace("LLUM", llum.http).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser: Browser, page_of_others: str, llum: Llum) -> Iterator[Page]:
    """Open it; it asks nobody but its own host and llum, and its console stays empty."""
    with viewing(browser, page_of_others) as viewer:
        viewer.hosts.add(llum.http.removeprefix("http://"))
        page = viewer.go("/")
        until(lambda: page.evaluate("!!window.apply"), "the script is loaded")
        yield page
        assert viewer.strangers == []
        # That llum refuses something is one, too.
        assert [said for said in viewer.complaints if not said.startswith("Failed to load resource")] == []


def is_shown(page: Page, wanted: dict[str, str]) -> bool:
    return shown(page) == wanted


def set_browser(page: Page, **features: str) -> None:
    """Set the browser as its user does."""
    wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    page.context.new_cdp_session(page).send("Emulation.setEmulatedMedia", {"features": wanted})


def shown(page: Page) -> dict[str, str]:
    """Give the custom properties of the root element, and see that its classes say the same."""
    found, classes = page.evaluate(
        """() => { const { style, classList } = document.documentElement;
            return [Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)])),
                [...classList]] }"""
    )
    assert set(classes) == {f"{name[2:]}-{value.replace(' ', '_')}" for name, value in found.items()}
    return {name.removeprefix("--llum-"): value for name, value in found.items()}


def test_where_a_person_says_nothing_their_browser_counts(page: Page) -> None:
    """It is followed when it changes, until the page has enough: then nothing of it is left."""
    for off_or_on in (0, 1):
        set_browser(page, **{name: values[off_or_on] for name, values in FEATURES.items()})
        page.evaluate("void (window.applied ||= window.apply())")
        wanted = {name: values[off_or_on] for name, values in FEATURES.items()}
        until(functools.partial(is_shown, page, wanted), "the page follows the browser")
    page.evaluate("window.applied.unset()")
    set_browser(page, prefers_color_scheme="light")
    assert page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")
    assert shown(page) == {}
    assert page.evaluate("window.applied.values") == {}


def test_what_a_person_says_counts_before_their_browser(page: Page) -> None:
    """Of media features, and of sizes, spaces and colours, which no browser says."""
    set_browser(page, prefers_color_scheme="light", prefers_reduced_motion="reduce", prefers_contrast="more")
    said = {
        "prefers-color-scheme": "dark",
        "prefers-reduced-motion": "no-preference",
        "prefers-contrast": "loud",
        "--font-size": 18,
        "--line-height": 1.5,
        "--letter-spacing": 0.1 + 0.2,
        "--color": "#00FF00",
        "--background-color": "rgb(10, 20, 30)",
        "--font-family": "sans-serif",
    }
    page.evaluate("(said) => void window.apply({ contexts: { 'gpii-default': { preferences: said } } })", said)
    assert shown(page) | {
        "prefers-color-scheme": "dark",
        "prefers-reduced-motion": "no-preference",
        "prefers-contrast": "more",
        "font-size": "18pt",
        "line-height": "1.5",
        "letter-spacing": "0.3em",
        "color": "#00FF00",
        "background-color": "rgb(10, 20, 30)",
        "font-family": "sans-serif",
    } == shown(page)
    assert page.evaluate(BACKGROUND).startswith("rgb(0, 255, 0)")


def test_no_value_brings_anything_else_into_the_page(page: Page) -> None:
    """Neither as a colour that the page's stylesheet uses, nor in place of a media feature, nor by its name."""
    before = page.evaluate(BACKGROUND)
    page.evaluate("void (window.applied = window.apply())")
    nothing = shown(page)
    for value in HOSTILE:
        said = {"--color": value, "forced-colors": value, "constructor": value, str(value): "red"}
        page.evaluate("(said) => window.applied.update(said)", said)
        assert shown(page) == nothing, value
        assert page.evaluate(BACKGROUND) == before, value


def test_a_page_gets_the_preferences_of_whoever_lets_it(page: Page, page_of_others: str, llum: Llum) -> None:
    """With the token of an app that has this page and may ask, in whatever ontology they were said; as they change."""
    llum.run("admin", "person", "add", "alice")
    llum.run("admin", "app", "add", "alice", "reader", "--origin", page_of_others)
    owner, reader = (llum.run("admin", "token", "make", "alice", "--app", app).split()[0] for app in ("llum", "reader"))
    put(llum, owner, {"http://registry.gpii.net/common/fontSize": 20})
    llum.run("admin", "app", "permit", "alice", "reader", "Preferences", "--ask")
    source = {"url": llum.http, "token": reader, "live": True}
    page.evaluate("(source) => { window.applied = window.apply(source); return window.applied.ready }", source)
    assert shown(page)["font-size"] == "20pt"
    put(llum, owner, {"http://registry.gpii.net/common/fontSize": 24})
    until(lambda: shown(page)["font-size"] == "24pt", "the page follows")
    page.evaluate("window.applied.unset()")
    assert shown(page) == {}


def test_where_llum_refuses_the_page_stays_as_the_browser_is_set(page: Page, llum: Llum) -> None:
    """And learns why, if it asks."""
    set_browser(page, prefers_color_scheme="dark")
    source = {"url": llum.http, "token": "llum_worthless", "live": True}
    why = page.evaluate(
        "(source) => { window.applied = window.apply(source); return window.applied.ready.catch(String) }", source
    )
    assert why.startswith("Error: llum answers 401: ")
    assert "not_authenticated" in why
    assert shown(page)["prefers-color-scheme"] == "dark"


def put(llum: Llum, token: str, preferences: dict[str, Any]) -> None:
    """Say preferences in the common terms."""
    response = httpx.put(
        f"{llum.http}/preferences/me",
        json={"contexts": {"gpii-default": {"preferences": preferences}}},
        headers={"Authorization": f"Bearer {token}"},
        timeout=DEADLINE_S,
    )
    assert response.status_code == 200, response.text
