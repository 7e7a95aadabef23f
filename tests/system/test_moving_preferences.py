"""Moving an installation of GPII into llum by the commands that an operator types, and out again."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.shared_data import shared_cases, shared_path
from tests.system.harness import Llum
from tests.system.preferences_stage import open_stage
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.long

SAFES = 10_000
GET = "preferences/get.json"
SIZE = "http://registry.gpii.net/common/fontSize"


@pytest.fixture(scope="module")
def llum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llum]:
    with open_stage(tmp_path_factory.mktemp("moving")) as stage:
        yield stage.llum


def installation(count: int) -> list[dict[str, Any]]:
    """Give the documents of so many safes, each with a key."""
    safes = [
        {
            "_id": f"safe-{number:05}",
            "type": "prefsSafe",
            "schemaVersion": "0.2",
            "prefsSafeType": "user",
            "preferences": {"flat": {"contexts": {"gpii-default": {"preferences": {SIZE: number % 40 + 1}}}}},
        }
        for number in range(count)
    ]
    keys = [
        {"_id": f"key-{number:05}", "type": "gpiiKey", "schemaVersion": "0.2", "prefsSafeId": f"safe-{number:05}"}
        for number in range(count)
    ]
    return safes + keys


def test_the_examples_are_answered_after_a_load(llum: Llum) -> None:
    """Whatever a GET of the original answers, a GET here answers, in each ontology."""
    folder = shared_path("preferences/documents")
    llum.run("preferences", "load", str(folder / "gpiiKeys.json"), str(folder / "prefsSafes.json"))
    examples = [*shared_cases(GET, "success"), *shared_cases(GET, "fail")]
    for example in examples:
        asked = example["url"].replace("%gpiiKey", quote(example["gpiiKey"]))
        answer = httpx.get(f"{llum.http}/preferences/{asked}", timeout=DEADLINE_S)
        assert answer.status_code == example.get("expectedStatusCode", 200), example["name"]
        expected = example["expected"]
        assert {name: answer.json().get(name) for name in expected} == expected, example["name"]


def test_a_load_of_ten_thousand_safes_is_interrupted_and_repeated(llum: Llum, tmp_path: Path) -> None:
    """It ends at once, says how to go on, and the same again loads what is missing."""
    given = installation(SAFES)
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given))

    loading, terminal = start(llum, file)
    read_until(terminal, b"loaded ")
    loading.send_signal(signal.SIGINT)
    said = " ".join(read_all(terminal).split())
    assert loading.wait(DEADLINE_S) == 130
    assert "the same command again goes on with the others" in said

    since = time.monotonic()
    report = json.loads(llum.run("preferences", "load", str(file), "--json"))
    took = time.monotonic() - since
    assert report["stored"].get("prefsSafe", 0) + report["there"]["prefsSafe"] == SAFES
    print(f"{sum(report['stored'].values())} documents were loaded in {took:.1f} s")
    answer = httpx.get(f"{llum.http}/preferences/{quote('key-09999')}", timeout=DEADLINE_S)
    assert answer.json()["contexts"]["gpii-default"]["preferences"] == {SIZE: 40}

    llum.run("preferences", "dump", "dump.json")
    dumped = {one["_id"]: one for one in json.loads((llum.folder / "dump.json").read_text())}
    assert {one["_id"]: dumped[one["_id"]] for one in given} == {one["_id"]: one for one in given}


def start(llum: Llum, file: Path) -> "tuple[subprocess.Popen[bytes], int]":
    """Begin to load as on a terminal, and give that, too: what is said there can be read."""
    terminal, its_side = pty.openpty()
    command = [*llum.program, "preferences", "load", str(file)]
    loading = subprocess.Popen(
        command,
        cwd=llum.folder,
        env=llum.environment,
        stdout=subprocess.DEVNULL,
        stderr=its_side,
        preexec_fn=heed_ctrl_c,
    )
    os.close(its_side)
    return loading, terminal


def heed_ctrl_c() -> None:
    """Whoever starts tests in the background of a shell has them, and their children, ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_all(terminal: int) -> str:
    """Read what is said until the program has ended."""
    said = b""
    # Linux says EIO when nobody holds the other side any more.
    with open(terminal, "rb", buffering=0) as reading, contextlib.suppress(OSError):
        while part := reading.read(1000):
            said += part
    return said.decode()


def read_until(terminal: int, wanted: bytes) -> None:
    """Read until this has been said."""
    said = b""
    while wanted not in said:
        said += os.read(terminal, 1000)
