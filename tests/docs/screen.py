"""A terminal of 80 columns with a shell in it, and a page that says what is typed there and what is seen then.

In the console blocks of a page, a line that starts with a prompt is typed; the lines below it are what the screen
shows until the next prompt. `…` stands for any text in a line, and a line of its own for any lines.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pexpect
import pyte

from tests.waiting import DEADLINE_S

COLUMNS: Final = 80
ROWS: Final = 1500
"""All of a session stays on the screen."""

_TYPED: Final = re.compile(r"(?P<prompt>\$ |\w+@/\S*> |[A-Z][^?\"]*\?(?: \[\w+\])?(?: |$))(?P<typed>.*)")
_READS: Final = ("ls", "ask")
"""What may be typed again while it does not yet show what is expected: a rule takes a moment to have its effect."""


class Step(NamedTuple):
    prompt: str
    typed: str
    expected: list[str]


def steps_of(markdown: str) -> list[Step]:
    """Read the console blocks of a page."""
    steps: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```$", markdown, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if match := _TYPED.fullmatch(line):
                steps.append(Step(match["prompt"].strip(), match["typed"].strip(), []))
            else:
                steps[-1].expected.append(line)
    return steps


def matches(expected: list[str], shown: list[str]) -> bool:
    """Compare; lines without text count on neither side, as a page cannot show how many there are."""
    wanted = [line for line in expected if line]
    pattern = "\n".join("(?s:.*)" if line == "…" else re.escape(line).replace("…", "[^\n]*") for line in wanted)
    return re.fullmatch(pattern, "\n".join(line for line in shown if line)) is not None


class Terminal:
    """bash in a pseudo-terminal, and the screen that a person would see."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self._screen)
        self._shell = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile"],
            cwd=str(folder),
            env=environment | {"PS1": "$ ", "TERM": "xterm-256color"},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
        )
        # What asks where the cursor is gets an answer, as from any terminal.
        self._screen.write_process_input = self._shell.send

    def close(self) -> None:
        self._shell.close(force=True)

    def run(self, steps: list[Step]) -> Iterator[tuple[Step, list[str]]]:
        """Type the steps one after the other, and give what each has shown."""
        self.wait_for(steps[0].prompt)
        for step, following in zip(steps, [*steps[1:], Step("$", "", [])], strict=True):
            yield step, self._take(step, following.prompt)

    def _take(self, step: Step, next_prompt: str) -> list[str]:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            shown = self._type(step.typed, next_prompt)
            again = step.typed.startswith(_READS) and time.monotonic() < deadline
            if matches(step.expected, shown) or not again:
                return shown

    def _type(self, text: str, next_prompt: str) -> list[str]:
        before = self._screen.cursor.y
        after = self.enter(text, next_prompt)
        return [line.rstrip() for line in self._screen.display[before + 1 : after]]

    def enter(self, text: str, next_prompt: str) -> int:
        """Type a line, and wait for a prompt below it; give its row."""
        before = self._screen.cursor.y
        self._shell.send(f"{text}\r")
        return self.wait_for(next_prompt, before)

    def press(self, keys: str, line: str) -> None:
        """Press keys, and wait until the cursor's line is this."""
        self._shell.send(keys)
        self.wait_for(line)

    def press_until(self, keys: str, text: str) -> None:
        """Press keys again and again until a text is on the screen."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.text():
            assert time.monotonic() < deadline, f"{text!r} does not come up:\n{self.text()}"
            self._shell.send(keys)
            self._look(0.5)

    def wait_for(self, prompt: str, row: int = -1) -> int:
        """Wait until the cursor stands after a prompt below the row; give the prompt's row."""
        deadline = time.monotonic() + DEADLINE_S
        while not (self._screen.cursor.y > row and self._line() == prompt):
            assert time.monotonic() < deadline, f"{prompt!r} does not come up:\n{self.text()}"
            self._look(0.2)
        return int(self._screen.cursor.y)

    def _look(self, timeout_s: float) -> None:
        """Take in what has been written, or wait for it so long."""
        with contextlib.suppress(pexpect.TIMEOUT):
            self._stream.feed(self._shell.read_nonblocking(65536, timeout=timeout_s))

    def _line(self) -> str:
        return str(self._screen.display[self._screen.cursor.y]).rstrip()

    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()
