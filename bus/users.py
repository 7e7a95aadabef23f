"""Who has a model: read off the log's subjects, which nats-server indexes."""

import asyncio

from bus.connection import Bus
from bus.jetstream import JetStream
from bus.subjects import all_log_subjects, log_subjects_of_verb, parse_address
from schemas.commands import MakeModel
from schemas.errors import Refusal
from schemas.parts import Restate
from schemas.preferences import PutPreferences
from schemas.verbs import verb_of


async def list_users(bus: Bus) -> list[str]:
    """Give the users for whom a model was asked for, sorted, be it that its making was refused. Raises `Transient`.

    Of whom a part was forgotten the log has only what was left of it, said anew. A safe of preferences has come into
    being with the first of them.
    """
    jetstream = JetStream(bus)
    names = (await jetstream.call("STREAM.NAMES", {"subject": all_log_subjects()})).get("streams") or []
    verbs = [verb_of(command) for command in (MakeModel, PutPreferences, Restate)]
    pages = await asyncio.gather(*(_users_of(jetstream, name, verb) for name in names for verb in verbs))
    return sorted(set().union(*pages))


async def _users_of(jetstream: JetStream, stream: str, verb: str) -> set[str]:
    users: set[str] = set()
    offset = 0
    while True:
        body = {"subjects_filter": log_subjects_of_verb(verb), "offset": offset}
        info = await jetstream.call(f"STREAM.INFO.{stream}", body)
        page = info["state"].get("subjects") or {}
        users.update(filter(None, map(_user, page)))
        offset += len(page)
        if not page or offset >= info.get("total", 0):
            return users


def _user(subject: str) -> str | None:
    try:
        return parse_address(subject).user
    except Refusal:
        return None
