"""`/list_clients` in a browser: an administrator's way through it hinders nobody, on a phone and on a desk."""

import re
import struct
import zlib

import pytest
from playwright.sync_api import Browser, expect

from llum.client import Client
from llum.people.accounts import accounts_of
from tests.browser.stage import give_session, in_a_loop
from tests.browser.viewing import DESK, PHONE, viewing
from tests.system.harness import Llum

pytestmark = pytest.mark.long


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + b"\xc8\x28\x28" * 8 for _ in range(8))))
    + _chunk(b"IEND", b"")
)
"""A red square."""


def make_administrator(llum: Llum) -> None:
    async def make() -> None:
        async with Client.connect(data_dir=llum.data_dir, app="llum") as client:
            await accounts_of(client).register("alice", admin=True)

    in_a_loop(make)


def test_an_administrator_looks_after_clients(llum: Llum, base: str, browser: Browser) -> None:
    """Adds one with an icon, marks it, is told in red what that means, and deletes it."""
    make_administrator(llum)
    for number, (size, scheme) in enumerate(((PHONE, "dark"), (DESK, "light"))):
        with viewing(browser, base, size, scheme) as viewer:
            viewer.sign_in_as(give_session(llum))
            page = viewer.go("/admin")
            page.get_by_role("link", name="Look after clients").click()
            page.get_by_role("link", name="Add a client").click()
            expect(page.get_by_role("heading", name="Add a client")).to_be_visible()
            viewer.check()
            page.get_by_label("Id", exact=True).fill(f"food{number}")
            page.get_by_label("Name", exact=True).fill(f"Food log {number}")
            page.get_by_label("Addresses to come back to").fill("http://log.example/" + "long/" * 30)
            page.get_by_role("button", name="Add it").click()
            expect(page.locator("#error-redirect_uris")).to_contain_text("https://")
            viewer.check()
            page.get_by_label("Legacy").check()
            page.get_by_label("It may ask for everything").check()
            page.get_by_role("button", name="Add it").click()
            expect(page.locator("code.link")).to_have_text(re.compile(r"[\w-]{43}"))
            viewer.open_all()
            viewer.check()
            page.get_by_label(f"A picture for Food log {number}").set_input_files(
                {"name": "food.png", "mimeType": "image/png", "buffer": PNG}
            )
            page.get_by_role("button", name="Upload").click()
            expect(page.locator(".client-head img")).to_have_js_property("naturalWidth", 8)
            expect(page.get_by_text("it may leave out PKCE")).to_be_visible()
            viewer.check("list-clients")
            page.get_by_role("link", name=f"Edit Food log {number}").click()
            page.get_by_label("What it does").fill("Counts apples.")
            viewer.check()
            page.get_by_role("button", name="Save").click()
            expect(page.get_by_text("Counts apples.")).to_be_visible()
            page.get_by_text(f"Delete Food log {number}").click()
            page.get_by_role("button", name="Delete it for good").click()
            expect(page.get_by_text("is no client any more")).to_be_visible()
            viewer.check()
