"""llum as its users meet it: processes, plain NATS, plain HTTP. Nothing of llum is imported here."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.effort import seed
from tests.waiting import DEADLINE_S, PAUSE_S

CHILDREN = ("nats-server", "worker", "edge")


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition and give what it gave; fail with a sentence if it does not come about."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"did not come about within {DEADLINE_S:g} s: {what}")
        time.sleep(PAUSE_S)
    return found


SPEAK_FOR_A_PERSON = frozenset({"ask", "asked", "browse", "follows", "tell", "withdraw"})
"""Commands that want a sign-in."""


class Llum:
    """One installation: a data folder, and `llum up` on it whenever it is started."""

    program: tuple[str, ...] = (sys.executable, "-m", "llum")
    """What is typed for `llum`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.output = folder / "up.log"
        self.options: tuple[str, ...] = ()
        """Further options of `llum up`."""
        self.ready_file = folder / "ready.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: set[psutil.Process] = set()
        self.http = ""
        self.nats = ""
        """With the operator's login."""
        self.bus = ""
        """The same address without it, as everybody may know it."""
        self._signed_in: set[str] = set()

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LLUM_")}
        ours = {"LLUM_DATA_DIR": str(self.data_dir), "LLUM_HTTP_PORT": "0", "LLUM_NATS_PORT": "0"}
        return kept | ours | {"PYTHONUNBUFFERED": "1", "XDG_CONFIG_HOME": str(self.folder / "config")}

    def start(self) -> None:
        """Start `llum up` and return when it says that everything answers."""
        self.ready_file.unlink(missing_ok=True)
        command = [*self.program, "up", "--ready-file", str(self.ready_file), *self.options]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        ready = until(self._read_ready, "llum up is ready")
        credentials = Path(self.environment.get("LLUM_CREDENTIALS", self.data_dir / "credentials.json"))
        self.http, self.bus = ready["http"], ready["nats"]
        self.nats = with_login(self.bus, credentials)
        self._note_children()

    def stop(self) -> None:
        """Send SIGTERM, and see that everything ends by itself."""
        assert self._process is not None
        self._note_children()
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(DEADLINE_S) == 0, self.last_words()
        self._process = None
        self._wait_for_ends()

    def kill_everything(self) -> None:
        """kill -9 the supervisor and its children, as nearly at once as possible."""
        assert self._process is not None
        self._note_children()
        for process in [psutil.Process(self._process.pid), *self._seen]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(DEADLINE_S)
        self._process = None
        self._wait_for_ends()

    def lose_supervisor(self) -> None:
        """kill -9 `llum up` alone, and see that its children end by themselves."""
        assert self._process is not None
        self._note_children()
        self._process.kill()
        self._process.wait(DEADLINE_S)
        self._process = None
        self._wait_for_ends()

    def kill(self, name: str) -> int:
        """kill -9 one child, waiting for it if it is just being started again; give its pid."""
        process = until(lambda: self.child(name), f"{name} runs")
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        return int(process.pid)

    def child(self, name: str) -> psutil.Process | None:
        """Find a child by its name; None while there is none."""
        return next((process for process in self._children() if _name_of(process) == name), None)

    @property
    def supervisor_pid(self) -> int | None:
        """The process of `llum up` itself; None when it has ended."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def pid(self, name: str) -> int:
        return int(until(lambda: self.child(name), f"{name} runs").pid)

    def has_served(self, name: str) -> bool:
        """Tell whether a child that was started again has come to serve."""
        return f"{name} serves again (pid {self.pid(name)})" in self.output.read_text("utf-8", "replace")

    def command(self, *arguments: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of llum, whatever comes of it; `text` is what it can read.

        Who speaks for a person has signed in before.
        """
        speaks = len(arguments) > 1 and arguments[0] in SPEAK_FOR_A_PERSON
        if (
            speaks
            and arguments[1] not in self._signed_in
            and self.run_as_it_is("sign-in", arguments[1]).returncode == 0
        ):
            self._signed_in.add(arguments[1])
        return self.run_as_it_is(*arguments, text=text, **environment)

    def sign_in(self, user: str) -> None:
        """Let the command line speak for a person, if there is one."""
        if user not in self._signed_in and self.run_as_it_is("sign-in", user).returncode == 0:
            self._signed_in.add(user)

    def run_as_it_is(self, *arguments: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of llum without signing in before."""
        return subprocess.run(
            [*self.program, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def start_command(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command of llum, and let it run."""
        return subprocess.Popen(
            [*self.program, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self, *arguments: str, text: str = "") -> str:
        """Run a command of llum that must succeed, and give what it prints."""
        done = self.command(*arguments, text=text)
        said = f"exit {done.returncode}: {done.stderr}{done.stdout}"
        assert done.returncode == 0, f"llum {' '.join(arguments)}: {said}\n{self.last_words()}"
        return done.stdout.strip()

    def last_words(self) -> str:
        """What there is to read after a failure."""
        files = [self.output, *sorted((self.data_dir / "log").glob("*.jsonl"))]
        return "\n".join(f"--- {file}\n{_tail(file)}" for file in files if file.exists())

    def clean_up(self) -> None:
        """Leave no process behind, whatever the test has done."""
        if self._process is not None and self._process.poll() is None:
            self._note_children()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(DEADLINE_S)
            self._process.kill()
            self._process.wait()
        for process in self._seen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _read_ready(self) -> Any:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"llum up ended with {self._process.returncode}\n{self.last_words()}")
        return json.loads(self.ready_file.read_bytes()) if self.ready_file.exists() else None

    def _children(self) -> list[psutil.Process]:
        assert self._process is not None
        found: list[psutil.Process] = psutil.Process(self._process.pid).children()
        self._seen.update(found)
        return [process for process in found if _is_alive(process)]

    def _note_children(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._children()

    def _wait_for_ends(self) -> None:
        _, alive = psutil.wait_procs(self._seen, timeout=DEADLINE_S)
        assert not alive, f"these outlive llum up: {alive}"
        self._seen.clear()


def _name_of(process: psutil.Process) -> str:
    """Name a child as llum does; empty while it is not yet what it is about to become."""
    try:
        command = process.cmdline()
    except psutil.Error:
        return ""
    if command and Path(command[0]).name == "nats-server":
        return "nats-server"
    return next((word for word in command if word in ("worker", "edge")), "")


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _tail(file: Path, characters: int = 3000) -> str:
    return file.read_text("utf-8", "replace")[-characters:]


def with_login(nats_url: str, credentials: Path, role: str = "operator") -> str:
    """Give the address with the login of one of llum's own kinds of processes, as the file of credentials holds it.

    One with a login stays as it is: it is that of somebody else's nats-server.
    """
    if "@" in nats_url:
        return nats_url
    password = json.loads(credentials.read_bytes())["passwords"][role]
    return nats_url.replace("://", f"://{role}:{password}@")


class Faults:
    """kill -9 of processes at marks of progress that a seed decides, so that slow machines see the same schedule.

    Each kind of process is killed at least once. Some kills take two processes at once, some are followed by a second
    one as soon as the successor shows. Else a successor lives until it serves: llum rightly gives up on a process that
    time and again does not come to serve.
    """

    def __init__(self, llum: Llum, total: int, kills: int = 7) -> None:
        chance = random.Random(seed())
        self._llum = llum
        marks = sorted(chance.randrange(total // 20, total * 9 // 10) for _ in range(kills))
        first = list(CHILDREN) + [chance.choice(CHILDREN) for _ in range(kills - len(CHILDREN))]
        chance.shuffle(first)
        self.schedule = [(mark, self._victims(chance, name)) for mark, name in zip(marks, first, strict=True)]
        self.killed: list[tuple[str, int]] = []
        print("kill -9:", ", ".join(f"{'+'.join(names)} after {mark}" for mark, names in self.schedule))

    @staticmethod
    def _victims(chance: random.Random, name: str) -> list[str]:
        kind = chance.choice(("one", "one", "two", "again"))
        if kind == "two":
            return [name, chance.choice([other for other in CHILDREN if other != name])]
        return [name, name] if kind == "again" else [name]

    @contextlib.contextmanager
    def around(self, progress: Callable[[], int]) -> Iterator[None]:
        """Carry the schedule out while the body runs."""
        failures: list[BaseException] = []
        failed = threading.Event()
        thread = threading.Thread(target=self._carry_out, args=(progress, failed, failures))
        thread.start()
        try:
            yield
        except BaseException:
            failed.set()
            raise
        finally:
            thread.join()
        assert not failures, failures

    def _carry_out(self, progress: Callable[[], int], failed: threading.Event, failures: list[BaseException]) -> None:
        try:
            for mark, names in self.schedule:
                while progress() < mark and not failed.wait(0.005):
                    pass
                if failed.is_set():
                    return
                for number, name in enumerate(names):
                    self._kill(name, at_once=name in names[:number])
            for name in {name for name, _ in self.killed}:
                until(lambda name=name: self._llum.has_served(name), f"{name} serves again")
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)

    def _kill(self, name: str, *, at_once: bool) -> None:
        last = next((pid for killed, pid in reversed(self.killed) if killed == name), 0)
        until(lambda: self._llum.pid(name) != last, f"{name} is started again")
        if last and not at_once:
            until(lambda: self._llum.has_served(name), f"{name} serves again")
        self.killed.append((name, self._llum.kill(name)))
