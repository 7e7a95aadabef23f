"""An app that asks a person for parts of the model that `stage` has made, and where browsers go back to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from schemas.scopes import format_details
from schemas.slices import Slice
from tests.system.harness import Llum

APP: Final = "log-llum"

ASKED: Final = (
    Slice(paths=["Work"], actions=["ask"], purpose="to ask you nothing while you are busy"),
    Slice(components=["Goals/Health/steps"], actions=["ask", "tell"], purpose="to count your steps with what you log"),
    Slice(paths=["Apps/Logging"], actions=["ask", "tell", "make"], purpose="to keep what you log"),
)


class _Back(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><html lang=en><title>Back</title><h1>Back at the app</h1>")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def app_at_home() -> Iterator[str]:
    """Serve where browsers go back to, and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Back)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/back"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def register(llum: Llum, back: str, app: str = APP, name: str = "Log llum", *more: str) -> None:
    """Make the client, as an operator does."""
    about = "Notes what you eat and do with one tap, and shows you how your weeks were."
    described = ("--name", name, "--public", "--redirect", back, "--description", about)
    llum.run("admin", "client", "add", app, *described, *more)


def asking_path(back: str, app: str = APP, *slices: Slice, scope: str = "") -> str:
    """Give the path to which an app leads a browser."""
    given = {
        "response_type": "code",
        "client_id": app,
        "redirect_uri": back,
        "state": "s",
        "scope": scope,
        "authorization_details": "" if scope else format_details(slices or ASKED),
        "code_challenge": create_s256_code_challenge("v" * 43),
        "code_challenge_method": "S256",
    }
    return f"/authorize?{urlencode({name: value for name, value in given.items() if value})}"
