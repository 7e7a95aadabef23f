"""The SDK for programs without an event loop: every method of `Client`, and each waits until it is done.

    with SyncClient.connect(app="kitchen") as llum:
        llum.tell("alice", "Personal/firstname", "Al")
        print(llum.ask("alice", "Personal/firstname").value)

Behind it is a `Client` on an event loop in a thread of its own, so many threads may share one `SyncClient`.
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from bus.showing import Token
from llum.client import Client
from llum.connecting import PATIENCE_S
from schemas.apps import OWNER_APP
from schemas.errors import Code, Transient

P = ParamSpec("P")
T = TypeVar("T")

OpenClient = Callable[[], contextlib.AbstractAsyncContextManager[Client]]


class _Background:
    """A client that is connected, used and closed on an event loop in a thread of its own."""

    def __init__(self, connect: OpenClient) -> None:
        self._connect = connect
        self._loop = asyncio.new_event_loop()
        self._connected: Future[Client] = Future()
        self._ending = asyncio.Event()
        self._is_ending = False
        self._lock = threading.Lock()
        # A daemon: a program that forgets to close its client ends all the same.
        self._thread = threading.Thread(target=self._run, name="llum-client", daemon=True)

    def start(self) -> Client:
        """Connect. Raises what connecting raises."""
        self._thread.start()
        return self._connected.result()

    def call(self, make: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine there, and give what it gives. Raises what it raises, `RuntimeError` after the end."""
        with self._lock:
            if self._is_ending:
                raise RuntimeError("this client is closed: use it inside its `with` block")
            future = asyncio.run_coroutine_threadsafe(make(self._connected.result()), self._loop)
        try:
            return future.result()
        except CancelledError:
            raise Transient(Code.UNAVAILABLE, "the client was closed meanwhile") from None
        finally:
            future.cancel()  # for whoever interrupts the waiting; it changes nothing when it is done

    def stop(self) -> None:
        """Close the connection and end the thread. Whoever still waits gets `unavailable`."""
        with self._lock:
            self._is_ending = True
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        try:
            async with self._connect() as client:
                self._connected.set_result(client)
                await self._ending.wait()
        except Exception as error:
            if self._connected.done():
                raise
            self._connected.set_exception(error)


def _waiting(
    method: Callable[Concatenate[Client, P], Coroutine[Any, Any, T]],
) -> "Callable[Concatenate[SyncClient, P], T]":
    """Make the form of a method that waits."""

    @functools.wraps(method)
    def wait(self: "SyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._background.call(lambda client: method(client, *args, **kwargs))

    return wait


def _iterating(
    method: Callable[Concatenate[Client, P], AsyncIterator[T]],
) -> "Callable[Concatenate[SyncClient, P], Iterator[T]]":
    """Make the form of an asynchronous generator that waits for each item."""

    @functools.wraps(method)
    def iterate(self: "SyncClient", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        items = method(self._client, *args, **kwargs)
        with contextlib.suppress(StopAsyncIteration):
            while True:
                yield self._background.call(lambda _: _next(items))

    return iterate


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


class SyncClient:
    """Speaks as one app, about any user, and waits for each answer. Make it with `SyncClient.connect`.

    Threads may share it. After its block, each method raises `RuntimeError`.
    """

    def __init__(self, background: _Background, client: Client) -> None:
        self._background = background
        self._client = client

    @classmethod
    @contextlib.contextmanager
    def connect(
        cls,
        url: str | None = None,
        data_dir: Path | str | None = None,
        app: str = OWNER_APP,
        token: Token | None = None,
        patience_s: float | None = PATIENCE_S,
    ) -> Iterator["SyncClient"]:
        """Connect as `Client.connect` does, for as long as the block lasts.

        A function that gives tokens is called in the client's thread.
        """
        background = _Background(lambda: Client.connect(url, data_dir, app, token, patience_s))
        try:
            yield cls(background, background.start())
        finally:
            background.stop()

    @property
    def app(self) -> str:
        """The app that this client speaks as."""
        return self._client.app

    tell = _waiting(Client.tell)
    correct = _waiting(Client.correct)
    withdraw = _waiting(Client.withdraw)
    consequences = _waiting(Client.consequences)
    follows = _waiting(Client.follows)
    ask = _waiting(Client.ask)
    ask_all = _waiting(Client.ask_all)
    access = _waiting(Client.access)
    make_model = _waiting(Client.make_model)
    make_context = _waiting(Client.make_context)
    make_component = _waiting(Client.make_component)
    make_view = _waiting(Client.make_view)
    delete_context = _waiting(Client.delete_context)
    delete_component = _waiting(Client.delete_component)
    delete_view = _waiting(Client.delete_view)
    set_resolver = _waiting(Client.set_resolver)
    set_context_resolver = _waiting(Client.set_context_resolver)
    set_goals = _waiting(Client.set_goals)
    set_time_zone = _waiting(Client.set_time_zone)
    make_rule = _waiting(Client.make_rule)
    activate_rule = _waiting(Client.activate_rule)
    delete_rule = _waiting(Client.delete_rule)
    register_app = _waiting(Client.register_app)
    delete_app = _waiting(Client.delete_app)
    set_permission = _waiting(Client.set_permission)  # type: ignore[arg-type] # a part could be called `self`
    import_contexts = _waiting(Client.import_contexts)
    forget = _waiting(Client.forget)
    forget_part = _waiting(Client.forget_part)
    measure_part = _waiting(Client.measure_part)
    get_context = _waiting(Client.get_context)
    list_resolvers = _waiting(Client.list_resolvers)
    list_apps = _waiting(Client.list_apps)
    asked = _waiting(Client.asked)
    get_permission = _waiting(Client.get_permission)
    list_rules = _waiting(Client.list_rules)
    check = _waiting(Client.check)
    preview_grant = _waiting(Client.preview_grant)
    consent = _waiting(Client.consent)  # type: ignore[arg-type] # as of `set_permission`
    grants = _waiting(Client.grants)
    put_preferences = _waiting(Client.put_preferences)
    preferences = _waiting(Client.preferences)
    export = _iterating(Client.export)
    send = _waiting(Client.send)
    query = _waiting(Client.query)
