"""Pages: their headers, their files, and what browsers are shown when something fails."""

import re
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

import edge_http.web
from edge_http.auth.own_page import is_from_own_page
from edge_http.http.errors import STATUS_OF
from edge_http.web.faults import WORDS
from edge_http.web.headers import is_about_signing_in, page_headers
from edge_http.web.pages import in_words
from identity.sessions.store import new_sid
from schemas.errors import Code, Transient
from tests.edge_http.conftest import Edge

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TEMPLATES = Path(edge_http.web.__file__).with_name("templates")
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)
ELSEWHERE = re.compile(r'(?:src|href|action)="(?:https?:)?//[^"]*"')
FILE = re.compile(r'(?:href|src)="(/static/[^"]+)"')


async def test_a_browser_is_shown_a_page_where_a_program_gets_json(edge: Edge) -> None:
    """Of an unknown address: what happened, what to do, and the id that the log has."""
    page = await edge.http.get("/nowhere", headers=BROWSER)
    text = await page.text()
    assert (page.status, page.content_type) == (404, "text/html")
    assert "There is nothing here" in text
    assert page.headers["X-Request-Id"] in text
    program = await edge.http.get("/nowhere")
    assert (program.status, (await program.json())["error"]["code"]) == (404, "unknown_verb")


async def test_a_page_that_takes_something_else_says_what(edge: Edge) -> None:
    """The old operations, which take what is left, swallow no page; and the name of none is taken for one of theirs."""
    refused = await edge.http.put("/sessions", headers=BROWSER)
    assert (refused.status, refused.content_type, refused.headers["Allow"]) == (405, "text/html", "GET")
    unknown = await edge.post("nosuchoperation", {"modelname": "-"})
    assert (await unknown.json())["val"] is False


async def test_a_page_has_the_strict_headers(edge: Edge) -> None:
    """Nothing inline, nothing from elsewhere, in no frame, kept nowhere; an error page too."""
    headers = (await edge.http.get("/nowhere", headers=BROWSER)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers, "this edge is reached without TLS"


def test_pages_about_signing_in_tell_nobody_their_address() -> None:
    """Statement 19. Behind TLS, browsers never come without it again."""
    headers = page_headers("https://llum.example", tells_no_one=True)
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    paths = ("/", "/sign-in", "/sign-up", "/signed-in/google", "/account")
    assert [path for path in paths if is_about_signing_in(path)] == ["/sign-in", "/sign-up", "/signed-in/google"]


@pytest.mark.parametrize(("site", "is_own"), [("same-origin", True), ("cross-site", False), (None, False)])
def test_a_form_of_such_a_page_names_no_origin(edge: Edge, site: str | None, *, is_own: bool) -> None:
    """Browsers say `Origin: null` of it; that it is ours, they say elsewhere, where no page can write."""
    headers = {"Origin": "null"} | ({} if site is None else {"Sec-Fetch-Site": site})
    request = make_mocked_request("POST", "/sign-in", headers)
    assert is_from_own_page(request, edge.app) == is_own


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_holds_what_the_policy_forbids(template: Path) -> None:
    """Styles and scripts inline, addresses elsewhere: a browser would drop them, and nobody would notice."""
    text = template.read_text()
    assert INLINE.findall(text) == []
    assert ELSEWHERE.findall(text) == []
    assert "| safe" not in text or template.name == "kit.html", "what people and apps say is always escaped"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("type `llum up`", "type <code>llum up</code>"),
        ("`<b>` & <i>", "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"),
        ("one ` alone", "one ` alone"),
        ("`a` and ` more", "<code>a</code> and ` more"),
    ],
)
def test_what_to_type_is_set_as_code(text: str, html: str) -> None:
    """Errors name commands between backticks; everything in them is escaped."""
    assert in_words(text) == html


async def test_files_are_kept_for_a_year_by_their_hash(edge: Edge) -> None:
    """The page names them with the hash; under another hash the file as it is now is given, to be kept by nobody."""
    text = await (await edge.http.get("/nowhere", headers=BROWSER)).text()
    files = FILE.findall(text)
    assert files, "the page has a style sheet"
    for name in files:
        served = await edge.http.get(name)
        assert served.status == 200
        assert "immutable" in served.headers["Cache-Control"]
        assert served.headers["X-Content-Type-Options"] == "nosniff"
        other = await edge.http.get(re.sub(r"\.[0-9a-f]{12}\.", ".000000000000.", name))
        assert (other.headers["Cache-Control"], await other.read()) == ("no-store", await served.read())
    assert (await edge.http.get("/static/..%2fpages.py")).status == 404


async def test_the_script_for_pages_of_others_has_a_name_that_stays(edge: Edge) -> None:
    """It is small, any page may load it, and a newer one takes its place within an hour."""
    served = await edge.http.get("/static/llum-preferences.js", headers={"Origin": "https://page.example"})
    assert (served.status, served.content_type) == (200, "text/javascript")
    assert served.headers["Cache-Control"] == "public, max-age=3600"
    assert served.headers["Access-Control-Allow-Origin"] == "*"
    assert len(await served.read()) < 4096


@pytest.mark.parametrize("name", ["tell", "ask"])
async def test_operations_answer_as_ever(edge: Edge, name: str) -> None:
    """Whatever a program accepts: their callers read JSON."""
    refused = await edge.post(name, {}, token=None, headers=BROWSER)
    assert refused.content_type == "application/json"


@pytest.mark.parametrize("error", [Transient(Code.UNAVAILABLE, "away", retry_after_s=3), RuntimeError("broken")])
async def test_a_page_that_cannot_be_made_says_so(edge: Edge, error: Exception) -> None:
    """What does not answer, with when to come back; or a fault of llum, of which no detail is told but its number."""
    edge.authenticator.sessions.failure = error
    page = await edge.http.get("/", headers=BROWSER | {"Cookie": f"llumsessionid={new_sid()}"})
    text = await page.text()
    if isinstance(error, Transient):
        assert (page.status, page.headers["Retry-After"]) == (503, "3")
        assert "Nothing of what it has stored is lost" in text
    else:
        assert page.status == 500
        assert "broken" not in text
    assert page.headers["X-Request-Id"] in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_a_form_of_another_site_is_refused_with_a_page(edge: Edge) -> None:
    """Somebody was led to send it; the page tells them what to do."""
    headers = BROWSER | {"Origin": "https://evil.example", "Cookie": f"llumsessionid={new_sid()}"}
    page = await edge.http.post("/sign-out", data={"a": "b"}, headers=headers)
    assert (page.status, page.content_type) == (403, "text/html")
    assert "This is not allowed" in await page.text()


def test_each_error_has_words_of_its_own() -> None:
    """Every status that an error code or a form can have; none is explained by another one's words."""
    assert {*STATUS_OF.values(), 404, 405, 415} <= set(WORDS)
    assert len({words.title for words in WORDS.values()}) == len(WORDS)
