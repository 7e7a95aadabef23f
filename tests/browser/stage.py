"""A model that looks like one in use, and sessions, for a browser to look at."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from bus import credentials
from bus.connection import Bus
from identity.sessions.session import Session
from identity.sessions.store import Sessions, new_sid
from llum.client import Client
from schemas.definitions import ComponentDefinition
from tests.system.harness import Llum

T = TypeVar("T")

PERSON: Final = "alice"

LARGE: Final = 120
"""Components of the context that takes several pages."""

_DAY_S: Final = 86_400.0

_CONTEXTS: Final = (
    ("Work", "What she does for a living"),
    ("Work/Projects", "What she works on"),
    ("Work/Projects/Garden", "A robot that waters plants"),
    ("Devices/phone", "Counts steps, and knows where it is"),
    ("Devices/keyboard", "Notices when she types"),
    ("Goals/Health/Sport", "Moving more"),
    ("Large", "A context with many values"),
    ("https:~1~1terms.example~1accessibility", "A context whose name is an address"),
)

_COMPONENTS: Final = (
    ("Work", "state", "Whether she may be interrupted", "string"),
    ("Work", "languages", "Languages that she writes programs in", "JSON"),
    ("Work", "at_home", "Whether she works from home today", "boolean"),
    ("Work", "review", "What the last review said", "JSON"),
    ("Goals/Health", "steps", "Steps of a day", "number"),
)

_APPS: Final = (
    ("calendar", "Reads the calendar"),
    ("keyboard", "Watches the keyboard"),
    ("phone", "Counts steps"),
)


def in_a_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run asynchronous work from a test that has a browser: that keeps this thread's own loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def give_session(llum: Llum, user: str = PERSON, **parts: Any) -> str:
    """Sign a person in, and give the id of the session."""

    async def sign_in() -> str:
        bus = await Bus.connect(credentials.load(llum.data_dir / credentials.FILE).at(_bus(llum), "edge"), name="stage")
        try:
            now, sid = time.time(), new_sid()
            times = {"made": now, "expires": now + _DAY_S, "authenticated": now} | parts
            await Sessions(bus).set_session(sid, Session(user=user, how="passkey", place="Chromium on Linux", **times))
            return sid
        finally:
            await bus.close()

    return in_a_loop(sign_in)


def _bus(llum: Llum) -> str:
    """Give the address of the bus without a login."""
    scheme, _, rest = llum.nats.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def fill_model(llum: Llum) -> None:
    """Make the person's model, and tell what apps would."""
    llum.run("admin", "person", "add", PERSON, "--first-name", "Alice", "--last-name", "Liddell")
    in_a_loop(lambda: _fill(llum))


async def _fill(llum: Llum) -> None:
    async with Client.connect(data_dir=llum.data_dir, app="llum") as own:
        await own.set_time_zone(PERSON, "Europe/Amsterdam")
        for path, description in _CONTEXTS:
            await own.make_context(PERSON, path, description)
        for context, name, description, kind in _COMPONENTS:
            await _make(own, context, name, description, kind)
        for number in range(LARGE):
            await _make(own, "Large", f"value {number:03}", "One of many", "number")
        for app, description in _APPS:
            await own.register_app(PERSON, app, description)
            for context in ("Work", "Goals"):
                await own.set_permission(PERSON, app, context, ask=True, tell=True)
        await own.tell(PERSON, "Personal/firstname", "Al")
        await own.correct(PERSON, "Personal/firstname", "Alice", comment="Al is for friends")
    await _tell(llum)


async def _make(own: Client, context: str, name: str, description: str, kind: Any) -> None:
    component = ComponentDefinition(name=name, description=description, value_type=kind)
    await own.make_component(PERSON, context, component)


async def _tell(llum: Llum) -> None:
    now = time.time()
    told: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
        ("keyboard", "Work/state", "free", {"evidence_type": "implicit", "time": now - 1900}),
        ("keyboard", "Work/state", "typing", {"evidence_type": "implicit", "time": now - 1300}),
        ("calendar", "Work/state", "on holiday", {"useby": now - 10, "time": now - 3 * _DAY_S}),
        ("calendar", "Work/state", "busy", {"comment": "Meeting with the board", "time": now - 400}),
        ("calendar", "Work/languages", ["Python", "SQL", "Catalan"], {"evidence_type": "stereotype"}),
        ("calendar", "Work/at_home", True, {"evidence_type": "inferred"}),
        ("calendar", "Work/review", {"grade": "A", "by": "Dinah"}, {}),
        *(("phone", "Goals/Health/steps", 4000 + 137 * day, {"evidence_type": "exmachina"}) for day in range(9)),
    )
    for app in dict.fromkeys(app for app, *_ in told):
        async with Client.connect(data_dir=llum.data_dir, app=app) as teller:
            for _, path, value, more in (one for one in told if one[0] == app):
                await teller.tell(PERSON, path, value, **more)
