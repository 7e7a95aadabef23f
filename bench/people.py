"""The models, tells and asks of the measurements, and a log full of them."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice

import nats

from bus.subjects import (
    DEFAULT_LOG_STREAMS,
    DEFAULT_PARTITIONS,
    command_subject,
    log_stream,
    log_stream_of,
    partition_of,
)
from schemas.apps import ADMIN_APP
from schemas.codec import encode
from schemas.commands import Command, MakeModel, Tell
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.evidence import NewEvidence
from schemas.queries import Ask
from schemas.verbs import verb_of

APP = "bench"
CONTEXT = ["Personal"]
COMPONENTS = 20
PARTITIONS = DEFAULT_PARTITIONS
FEW = "few"
MANY = "many"
LARGE = "large"
"""Components of one person that differ in nothing but how much evidence they have."""

STORED_PER_ACK = 1000
"""Messages published before one is waited for: nats-server drops what it cannot take in."""

ACK_WITHIN_S = 60.0
"""Seconds for a thousand messages to be stored: a slow disk syncs each."""

Addressed = tuple[str, Command]
"""A user, and a command about them."""


LOG_STREAMS = frozenset(map(log_stream, range(DEFAULT_LOG_STREAMS)))


def person(number: int) -> str:
    return f"person{number}"


def component(number: int) -> str:
    return f"component{number % COMPONENTS}"


def definition(extra: tuple[str, ...] = ()) -> ModelDefinition:
    """Define a model with one context of twenty components."""
    names = [*(component(number) for number in range(COMPONENTS)), *extra]
    components = [ComponentDefinition(name=name, description=f"What is known of {name}.") for name in names]
    return ModelDefinition(contexts=[ContextDefinition(path=CONTEXT, components=components)])


def tell(number: int, name: str, command_id: str | None = None) -> Tell:
    value = f"what a sensor saw at {number}"
    return Tell(id=command_id or f"tell-{number}", context=CONTEXT, component=name, evidence=NewEvidence(value=value))


def tell_again(name: str, number: int) -> Tell:
    """Tell about one component once more."""
    return tell(number, name, f"{name}-{number}")


def ask(name: str = component(0)) -> Ask:
    return Ask(context=CONTEXT, view=[name])


def models(users: Iterable[str], extra: tuple[str, ...] = ()) -> Iterator[Addressed]:
    made = definition(extra)
    return ((user, making(made)) for user in users)


def making(made: ModelDefinition) -> MakeModel:
    """Make a model of which the bench is the owner app."""
    return MakeModel(id="make", definition=made, owner=APP)


def sender_of(command: Command) -> str:
    """Name the app that sends a command: models are made by llum itself."""
    return ADMIN_APP if isinstance(command, MakeModel) else APP


def tells_in_turn(users: list[str], count: int) -> Iterator[Addressed]:
    """Tell about each user in turn, going through their components."""
    return ((users[number % len(users)], tell(number, component(number // len(users)))) for number in range(count))


async def store(nats_url: str, commands: Iterable[Addressed]) -> int:
    """Put commands into the log, and give how many messages it holds then."""
    connection = await nats.connect(nats_url)
    try:
        rest = iter(commands)
        while some := list(islice(rest, STORED_PER_ACK)):
            ends = {_stream(user): index for index, (user, _) in enumerate(some)}
            last = [_message(*some[index]) for index in ends.values()]
            for index in sorted(set(range(len(some))) - set(ends.values())):
                await connection.publish(*_message(*some[index]))
            await asyncio.gather(*(connection.request(*message, timeout=ACK_WITHIN_S) for message in last))
        streams = await connection.jetstream().streams_info()
        return sum(int(info.state.messages) for info in streams if info.config.name in LOG_STREAMS)
    finally:
        await connection.close()


def _stream(user: str) -> str:
    return log_stream_of(partition_of(user, PARTITIONS), DEFAULT_LOG_STREAMS)


def _message(user: str, command: Command) -> tuple[str, bytes]:
    return command_subject(user, sender_of(command), verb_of(command)), encode(command)
