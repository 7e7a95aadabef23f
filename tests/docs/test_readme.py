"""The README's tutorial, executed as a newcomer would type it.

Method: the console blocks run in one shell against a fresh llum. Lines after `$ ` are commands (`> ` continues one),
the others are the expected output; `…` stands for any text, and a line of its own for any lines.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from tests.system import harness

README = Path(__file__).parents[2] / "README.md"


_UNTIL_REJECTED = "until llum admin rejected alice | grep -q bad_value; do sleep 0.2; done"

FIRST: dict[str, str] = {
    # A rejection is there a moment after the outcome, with the next commit: whoever types does not notice.
    "llum admin rejected alice": f"timeout 60 sh -c '{_UNTIL_REJECTED}'"
}
"""What is run before a command, and prints nothing."""


class Step(NamedTuple):
    command: str
    expected: list[str]


def steps_of(markdown: str) -> list[Step]:
    """Read the console blocks of a page."""
    steps: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```$", markdown, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append(Step(line[2:], []))
            elif line.startswith(">") and not steps[-1].expected:
                steps[-1] = Step(f"{steps[-1].command}\n{line[2:]}", [])
            else:
                steps[-1].expected.append(line)
    return steps


def run_all(steps: list[Step], folder: Path, environment: dict[str, str]) -> list[list[str]]:
    """Run the steps in one shell, and give the lines that each printed."""
    script = "".join(
        f"{FIRST.get(step.command, ':')}\n{step.command}\nprintf '\\n\\036%s\\036\\n' {index}\n"
        for index, step in enumerate(steps)
    )
    ran = subprocess.run(
        ["bash"],
        input=script,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
        check=False,
    )
    parts = re.split(r"\n\036\d+\036\n", ran.stdout)
    return [[line for line in part.splitlines() if line] for part in parts[:-1]]


def matches(expected: list[str], printed: list[str]) -> bool:
    pattern = "\n".join(".*" if line == "…" else re.escape(line).replace("…", ".*") for line in expected)
    return re.fullmatch(pattern, "\n".join(printed), re.DOTALL if "…" in expected else 0) is not None


@pytest.mark.timeout(600)
def test_the_tutorial_works_as_printed(tmp_path: Path) -> None:
    """Every command of the tutorial prints what the README says it prints."""
    text = README.read_text()
    llum = harness.Llum(tmp_path)
    try:
        llum.start()
        text = text.replace("http://127.0.0.1:8080", llum.http).replace("nats://127.0.0.1:4222", llum.bus)
        (tmp_path / ".venv").symlink_to(sys.prefix)
        steps = steps_of(text)
        environment = os.environ | llum.environment
        for step, printed in zip(steps, run_all(steps, tmp_path, environment), strict=True):
            wanted = [line for line in step.expected if line]
            assert matches(wanted, printed), f"$ {step.command}\nexpected:\n{wanted}\nprinted:\n{printed}"
    finally:
        llum.clean_up()


@pytest.mark.parametrize("word", ["make run", "make test"])
def test_the_two_commands_come_first(word: str) -> None:
    """A newcomer finds the two commands before anything else that is to be typed."""
    assert word in README.read_text().split("```")[1]


def test_the_first_lines_say_what_for() -> None:
    """Who needs llum, a question that it answers, and a picture that is there."""
    lines = README.read_text().splitlines()[:10]
    assert "You need it when" in " ".join(lines)
    assert re.search(r"\*[^*]+\?\*", " ".join(lines))
    (picture,) = re.findall(r"!\[[^]]+\]\((\S+)\)", "\n".join(lines))
    assert ElementTree.parse(README.parent / picture).getroot().tag.endswith("svg")
