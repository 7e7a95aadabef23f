"""The life of an account, with the processes that a user starts: made, used from the command line, and gone."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.viewing import PHONE, viewing
from tests.browser.walking import base_of, first_link, sign_up_with_passkey
from tests.system.harness import Llum

pytestmark = pytest.mark.long


def run(llum: Llum, *words: str) -> Any:
    """Run a command, and give its answer."""
    command = [*llum.program, *words, "--json"]
    done = subprocess.run(command, cwd=llum.folder, env=llum.environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_an_account_is_made_used_and_deleted(tmp_path: Path, browser: Browser) -> None:
    """What the command line tells is on the page, and what the operator did is among the events.

    At the end nothing is left, neither in the bus nor in the log files of llum's own processes.
    """
    llum = Llum(tmp_path)
    try:
        llum.start()
        with viewing(browser, base_of(llum), PHONE, "dark") as phone:
            sign_up_with_passkey(phone, first_link(llum))
            run(llum, "sign-in", "alice")
            run(llum, "tell", "alice", "Personal/lastname", '"Walker"')
            assert "Walker" in phone.go("/model/Personal").content()
            assert "let a command line sign in" in phone.go("/account").content()
            phone.open_all()
            phone.check()
            phone.page.get_by_label("Type your name here to confirm").fill("alice")
            phone.page.get_by_role("button", name="Delete everything for good").click()
            phone.page.get_by_role("heading", name="Your account is deleted").wait_for(timeout=120_000)
            phone.check()
            assert "Something is left" not in phone.page.content()
        assert run(llum, "admin", "account", "list")["accounts"] == []
        assert run(llum, "admin", "person", "list")["people"] == []
        left = [file.name for file in llum.data_dir.rglob("*.jsonl") if b'"alice"' in file.read_bytes()]
        assert left == []
    finally:
        llum.clean_up()
