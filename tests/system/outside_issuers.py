"""Issuers that llum has no part in, as processes: oidc-provider-mock from PyPI, and oidc-provider from npm."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.clients.node import HERE, node_modules
from tests.edge_http.issuers.browsing import Browsing, Shown
from tests.system.harness import until

END_WITHIN_S: Final = 60.0

MOCK_PERSON: Final = {"sub": "grace@mock.example", "given_name": "Grace", "email": "grace@mock.example"}


@contextmanager
def oidc_provider_mock(folder: Path) -> Iterator[str]:
    """Run the one from PyPI on any free port, and give its address."""
    output = folder / "mock.log"
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", "0", "--require-nonce"]
    command += ["--user-claims", json.dumps(MOCK_PERSON)]
    with output.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=written, stdin=subprocess.DEVNULL, env=_plain())
    try:
        yield _address_in(output, process)
    finally:
        process.terminate()
        process.wait(END_WITHIN_S)


@contextmanager
def oidc_provider(folder: Path) -> Iterator[str]:
    """Run the one from npm on any free port, and give its address."""
    folder.mkdir()
    (folder / "node_modules").symlink_to(node_modules())
    script = shutil.copy(HERE / "issuer.mjs", folder)
    output = folder / "npm.log"
    with output.open("wb") as written:
        process = subprocess.Popen(["node", str(script)], stdout=written, stderr=written, stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        yield _address_in(output, process)
    finally:
        process.stdin.close()
        process.wait(END_WITHIN_S)


async def sign_in_at_mock(browser: Browsing, page: Shown) -> Shown:
    """Fill in its one form."""
    return await browser.send(page, "", {"sub": str(MOCK_PERSON["sub"])}, {"sub": ""})


async def sign_in_at_npm(browser: Browsing, page: Shown, login: str) -> Shown:
    """Say who one is, if it asks, and agree, if it asks."""
    while "/interaction/" in page.url:
        [form] = [one for one in page.forms if "prompt" in one.fields]
        given = {"login": login, "password": "any"} if form.fields["prompt"] == "login" else {}
        page = await browser.send(page, form.action, given)
    return page


def _plain() -> dict[str, str]:
    return os.environ | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


def _address_in(output: Path, process: "subprocess.Popen[bytes]") -> str:
    """Wait for the address that a program prints."""

    def found() -> str | None:
        assert process.poll() is None, output.read_text()
        match = re.search(r"http://127\.0\.0\.1:[1-9][0-9]*", output.read_text())
        return match[0] if match else None

    return str(until(found, f"an address in {output}"))
