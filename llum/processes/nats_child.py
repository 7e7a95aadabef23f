"""The embedded nats-server as a child of `llum up`."""

import asyncio
from typing import TYPE_CHECKING, Final

from bus.errors import EmbeddedServerError
from llum.processes.child import how_it_ended
from llum.processes.log_files import RotatingFile
from llum.settings import Settings

if TYPE_CHECKING:
    from bus.embedded import EmbeddedServer


LOOK_AGAIN_S: Final = 1.0
"""Seconds between two looks at a server that did not greet."""


class NatsChild:
    """Starts and restarts the embedded server. A first start that fails is final, a later one is tried again."""

    name: Final = "nats-server"

    def __init__(self, settings: Settings, log: RotatingFile) -> None:
        self._settings = settings
        self._log = log
        self._server: EmbeddedServer | None = None
        self._served = False
        self.last_words: str | None = None

    @property
    def pid(self) -> int | None:
        return self._server.pid if self._server else None

    @property
    def url(self) -> str:
        return self._made().url

    async def start(self) -> None:
        """Start the server. Raises `EmbeddedServerError` the first time, `ChildProcessError` later."""
        try:
            await self._made().start()
        except EmbeddedServerError as error:
            self._note(error)

    async def serving(self) -> None:
        """Return when it answers. Raises as `start` does."""
        try:
            await self._made().wait_ready()
        except EmbeddedServerError as error:
            self._note(error)
        self._served = True

    async def answer(self) -> None:
        """Return when it greets."""
        while not await self._made().answers():  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(LOOK_AGAIN_S)

    async def wait(self) -> str:
        return how_it_ended(await self._made().wait())

    async def stop(self, within_s: float) -> None:
        if self._server is not None:
            await self._server.stop(within_s)

    def kill(self) -> None:
        """End it at once, without waiting."""
        if self._server is not None:
            self._server.kill()

    def _note(self, error: EmbeddedServerError) -> None:
        if not self._served:
            raise error
        self.last_words = str(error)
        raise ChildProcessError(str(error)) from error

    def _made(self) -> "EmbeddedServer":
        """Make the server at its first use: by then worker and edge import what they need, and so can this process."""
        if self._server is None:
            from bus.embedded import EmbeddedServer
            from llum.external_nats import limits_of
            from llum.processes import logs

            logs.set_up(self._settings.log_level, [self._log], process="supervisor")
            settings = self._settings
            self._server = EmbeddedServer(
                settings.data_dir,
                settings.nats_port,
                settings.partitions,
                sync_interval=settings.sync,
                limits=limits_of(settings),
            )
        return self._server
