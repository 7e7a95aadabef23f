"""Sensors of this machine at an llum that somebody else runs: each signs in by OAuth 2, for one person, as its own app.

A sensor is a client that every llum has. It asks for its place alone, by a short code that its person types into a
browser; on a machine with a browser the page with the code is opened there. It never gives up a sign-in that has ended:
it keeps what it sees, and looks for the next one.
"""

import asyncio
import os
import shlex
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bus.connection import Bus
from bus.requests import Requests
from llum.failures import Fault
from llum.oauth.asking import host_of
from llum.oauth.keeping import Kept, name_of
from llum.oauth.prompts import ShowPrompt, SignInPrompt, has_browser, print_prompt
from llum.oauth.servers import checked_address
from llum.oauth.signed_in import SignedIn
from llum.oauth.signing_in import AskedPerson, ask_person, find_sign_in, keep_sign_in
from llum.oauth.wishes import Wish
from schemas.errors import Code, Refusal, Transient, raised_from
from schemas.replies import Refused
from sensors.activity import messages as activity
from sensors.channel import CONNECT_WITHIN_S, check_connected
from sensors.granted import GrantedWay, may_tell
from sensors.log import messages as log
from sensors.publisher import Connect, Store
from sensors.spool import Entry

if TYPE_CHECKING:
    from llum.oauth.signing_in import How

_MESSAGES: Final = {activity.APP: activity, log.APP: log}
_COMMANDS: Final = {activity.APP: "activity", log.APP: "log"}

_MADE_WITHIN_S: Final = 30.0
"""Seconds for a connection while a person waits for the sensor to be installed."""


@dataclass(frozen=True)
class RemoteSensor:
    """A sensor of one person at one llum."""

    app: str
    user: str
    url: str
    bus: str | None = None
    """Where its bus is; None: where llum says."""

    @property
    def name(self) -> str:
        """That of its sign-in, and of the folder of its spool: nothing that is meant for one llum goes to another."""
        return name_of(checked_address(self.url), self.app, self.user)

    @property
    def spool_folder(self) -> Path:
        """Where what is not sent yet waits (XDG Base Directory)."""
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "llum" / "spool" / self.name

    @property
    def place(self) -> str:
        return "/".join((*_MESSAGES[self.app].CONTEXT, _MESSAGES[self.app].COMPONENT))

    @property
    def installing(self) -> str:
        """The command that has the person decide once more."""
        return shlex.join(["llum", "sensor", _COMMANDS[self.app], self.user, "--at", self.url, "--install"])

    @property
    def hint(self) -> str:
        return f"Nothing is lost. {self.user} can let it in again: `{self.installing}`."

    def find(self) -> SignedIn | None:
        """Give its sign-in as it is kept now; None: it has none. Raises `Fault`. It may block."""
        return find_sign_in(Kept(), self.name)

    async def install(self, how: "How" = "auto", show: ShowPrompt = print_prompt) -> SignedIn:
        """Have the person decide, keep that in place of an earlier sign-in, and make the sensor's place.

        Raises a `Fault` if somebody else has decided, or the sensor may not tell; else as `llum.sign_in`.
        """
        messages = _MESSAGES[self.app]
        wish = Wish(slices=[messages.WANTED])
        asked = await ask_person(self.url, self.app, wish, "device", self.user, _shown(how, show))
        await self._check(asked)
        earlier = await asyncio.to_thread(self.find)
        store = Kept()
        await keep_sign_in(store, asked)
        if earlier is not None:
            await earlier.revoke()
        signed_in = SignedIn(asked.kept, asked.tokens, store)
        if any("make" in one.actions for one in signed_in.granted):
            await self._make_place(signed_in)
        return signed_in

    async def _check(self, asked: AskedPerson) -> None:
        """Keep no sign-in of somebody else, nor one that is good for nothing."""
        messages, signed_in = _MESSAGES[self.app], SignedIn(asked.kept, asked.tokens, None)
        if signed_in.user != self.user:
            await signed_in.sign_out()
            hint = "Sign out there, and try again; or name them in the command."
            raise Fault(f"{signed_in.user} has decided in the browser, and not {self.user}", hint)
        if not may_tell(signed_in.granted, messages.CONTEXT, messages.COMPONENT):
            await signed_in.sign_out()
            raise Fault(f"{self.user} does not let the sensor tell {self.place}", f"Ask again: `{self.installing}`.")

    async def _make_place(self, signed_in: SignedIn) -> None:
        async with self._connected(signed_in, _MADE_WITHIN_S) as (_, requests):
            for command in _MESSAGES[self.app].making():
                outcome = await requests.send(self.user, self.app, command)
                if isinstance(outcome, Refused):
                    raise raised_from(outcome.error)

    def connect(self) -> Connect:
        """Give the way from its spool to the bus, by the sign-in as it is at each connection."""
        messages = _MESSAGES[self.app]
        granted = GrantedWay(messages.CONTEXT, messages.COMPONENT, self.hint)
        return lambda: self._way(granted)

    @asynccontextmanager
    async def _way(self, granted: GrantedWay) -> AsyncIterator[Store]:
        """Connect. Whatever keeps the sensor out is `Transient`: it waits until its person or llum has mended that."""
        try:
            signed_in = await asyncio.to_thread(self.find)
            if signed_in is None:
                raise Transient(Code.NOT_AUTHENTICATED, self._ended, self.hint)
            async with self._connected(signed_in, CONNECT_WITHIN_S) as (bus, requests):

                async def store(entry: Entry) -> None:
                    check_connected(bus)
                    await granted.store(requests, entry)

                yield store
        except (Refusal, Fault) as error:
            if error.code is Code.INVALID_GRANT:
                raise Transient(Code.NOT_AUTHENTICATED, self._ended, self.hint) from error
            raise Transient(Code.UNAVAILABLE, error.error.message, error.hint) from error

    @property
    def _ended(self) -> str:
        return f"the sensor has no sign-in for {self.user} at {host_of(self.url)} any more"

    @asynccontextmanager
    async def _connected(self, signed_in: SignedIn, within_s: float) -> AsyncIterator[tuple[Bus, Requests]]:
        async with signed_in.staying_fresh():
            bus = await self._bus(signed_in, within_s)
            requests = Requests(bus)
            try:
                await requests.start()
                yield bus, requests
            finally:
                try:
                    await requests.close()
                finally:
                    await bus.close()

    async def _bus(self, signed_in: SignedIn, within_s: float) -> Bus:
        """Connect. Where the token is not taken llum says whether the sign-in has ended: then it is `invalid_grant`."""
        address = signed_in.bus_address(self.bus)
        try:
            return await Bus.connect(address, name=self.app, within_s=within_s, token=signed_in.shown)
        except Transient as error:
            if error.code is Code.NOT_AUTHENTICATED:
                await signed_in.refresh()
            raise


def _shown(how: "How", show: ShowPrompt) -> ShowPrompt:
    """Show the code, and open its page in a browser where the person sees one."""
    if how == "device" or (how == "auto" and not has_browser()):
        return show

    def shown(prompt: SignInPrompt) -> None:
        show(prompt)
        # A browser for a terminal would hold everything up.
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, prompt.complete_url or prompt.url)

    return shown
