"""How an edge erases a person who deletes their account: it has `llum admin person forget` run, as an operator does.

An edge itself may not erase what is stored: its login on the bus does not let it.
"""

import asyncio
import os
import sys
from typing import Any, Final

import msgspec

from bus.logger import get_logger
from llum.settings import Settings
from schemas.errors import Code, Transient

_COMMAND: Final = ("-m", "llum", "admin", "person", "forget", "--yes", "--json", "--")

log = get_logger("llum.edge")


class Forgetting:
    """Called with a person's id, it erases everything of them and gives the receipt."""

    def __init__(self, settings: Settings) -> None:
        self._environment = settings.as_environment()

    async def __call__(self, user: str) -> dict[str, Any]:
        """Raises `unavailable`, which says why, when nothing or not all could be erased: it may be done again."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_COMMAND,
            user,
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate()
        try:
            receipt: dict[str, Any] = msgspec.json.decode(said)
        except msgspec.DecodeError as error:
            # Of whom, no log may say.
            log.error("account_not_deleted", exit_code=process.returncode)
            raise Transient(Code.UNAVAILABLE, _reason(complained)) from error
        return receipt


def _reason(complained: bytes) -> str:
    """Give what the command has said of its failure."""
    try:
        return str(msgspec.json.decode(complained)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return "not everything could be erased"
