"""Who has a model: read off the log's subjects, which nats-server indexes."""

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.subjects import LOG_STREAM, log_subjects_of_verb, parse_address
from schemas.errors import Refusal


async def list_users(bus: Bus) -> list[str]:
    """Give the users for whom a model was asked for, sorted, be it that its making was refused. Raises `Transient`."""
    jetstream = JetStream(bus)
    users: set[str] = set()
    offset = 0
    while True:
        body = {"subjects_filter": log_subjects_of_verb("mkmodel"), "offset": offset}
        info = await jetstream.call(f"STREAM.INFO.{LOG_STREAM}", body)
        page = info["state"].get("subjects") or {}
        users.update(filter(None, map(_user, page)))
        offset += len(page)
        if not page or offset >= info.get("total", 0):
            return sorted(users)


def _user(subject: str) -> str | None:
    try:
        return parse_address(subject).user
    except Refusal:
        return None
