"""Announcements of apps that were registered or deleted. The partition's worker makes them; who lets apps in watches.

Only what is new is watched; what was before is asked for at the worker. So an announcement is kept for a short while
only. Each says up to which command it holds, so that it and an answer of the worker can come in any order.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from bus.connection import Bus
from bus.jetstream import ApiError, JetStream
from bus.logger import get_logger
from bus.subjects import REGISTRATIONS_STREAM, registration_subject, registration_subjects
from bus.watching import Watch
from schemas.effects import Announcement
from schemas.errors import Code, Transient

log = get_logger("llum.bus")


_decoder: Final = msgspec.json.Decoder(Announcement)


async def announce(bus: Bus, announcement: Announcement) -> None:
    """Tell all who watch. It may be told twice. Raises `Transient` when it is not sure to have been told."""
    subject = registration_subject(announcement.user, announcement.app)
    try:
        await JetStream(bus).publish(subject, msgspec.json.encode(announcement))
    except ApiError as error:
        raise Transient(Code.UNAVAILABLE, f"the registration was not announced: {error.description}") from error


def watch_registrations(bus: Bus, take: Callable[[Announcement], None], on_start: Callable[[], None]) -> Watch:
    """Watch announcements; `on_start` is called when a new watch begins."""

    def decoded(_subject: bytes, _headers: bytes, data: bytes, _seq: int) -> None:
        try:
            take(_decoder.decode(data))
        except msgspec.DecodeError:
            log.debug("registrations.not_an_announcement")

    return Watch(bus, REGISTRATIONS_STREAM, [registration_subjects()], decoded, on_start)
