"""What `llum up` prints: what runs where, where the data is, and commands to try."""

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from llum.running import Running
from llum.settings import Settings, hide_password


def say(line: str) -> None:
    """Print a line on the terminal at once. A terminal that has gone does not stop llum."""
    with contextlib.suppress(OSError):
        click.echo(line)
        sys.stdout.flush()


def greet(settings: Settings, running: Running, pids: Mapping[str, int | None], took_s: float, *, fresh: bool) -> None:
    """Print what runs where and what to try."""
    rows = [
        ("HTTP", running.http, f"edge, pid {pids['edge']}"),
        ("bus", hide_password(running.nats), _bus_runner(pids)),
        ("models", f"{settings.partitions} partitions", f"worker, pid {pids['worker']}"),
        ("data", str(settings.data_dir), f"logs in {settings.data_dir / 'log'}"),
    ]
    width = max(len(row[1]) for row in rows)
    lines = [f"  {what:<8}{where:<{width}}  ({who})" for what, where, who in rows]
    commands = [f"  {command}" for command in commands_to_try(settings, fresh=fresh)]
    head = click.style("llum is ready", bold=True) + f" after {took_s:.1f} s. Ctrl-C stops it."
    say("\n".join([head, *lines, "", "Try, in another terminal:", *commands, ""]))


def first_account(link: str) -> str:
    """Say where the first person signs up."""
    return (
        "Nobody has an account yet. Whoever opens this link signs up as the administrator, once:\n"
        f"  {link}\n"
        "`llum admin account link` prints another one.\n"
    )


def commands_to_try(settings: Settings, *, fresh: bool) -> list[str]:
    """Give a few commands that work as they are, in the shell and folder that this process was started from."""
    llum = llum_command()
    where = ["--data-dir", str(settings.data_dir)] if settings.data_dir != Settings().data_dir else []
    again = [] if fresh else ["--exist-ok"]
    name = ["--first-name", "Alice", "--last-name", "Smith", "--email", "alice@example.org"]
    return [
        shlex.join([*llum, "admin", "person", "add", "alice", *name, *again, *where]),
        shlex.join([*llum, "sign-in", "alice", *where]),
        shlex.join([*llum, "tell", "alice", "Personal/firstname", '"Al"', *where]),
        shlex.join([*llum, "ask", "alice", "Personal/firstname", "--explain", *where]),
    ]


def llum_command() -> list[str]:
    """Find how to call llum from the user's shell: by name if it is on the PATH there, else by its path."""
    script = Path(sys.executable).with_name("llum")
    found = shutil.which("llum")
    only_under_uv = "UV_RUN_RECURSION_DEPTH" in os.environ
    if found and not only_under_uv and Path(found).resolve() == script.resolve():
        return ["llum"]
    if script.exists():
        return [_from_here(script)]
    return [_from_here(Path(sys.executable)), "-m", "llum"]


def _from_here(path: Path) -> str:
    """Write a path relative to the working directory if it lies below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _bus_runner(pids: Mapping[str, int | None]) -> str:
    return f"nats-server, pid {pids['nats-server']}" if "nats-server" in pids else "external nats-server"
