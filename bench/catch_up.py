"""How fast one worker applies a log that is there already."""

from bench import people
from bench.failures import BenchError
from bench.figures import Result, at_least
from bench.ground import PARTITIONS, BenchGround, log_being_filled, log_server
from bench.processes import measured

CATCH_UP_BAR = 0.5


async def catch_up(ground: BenchGround) -> Result:
    """Measure a worker with empty shards, and a bare ordered consumer of the same messages, each in a fresh process."""
    sizes, data_dir = ground.sizes, ground.new_folder("catch-up")
    users = [people.person(number) for number in range(sizes.log_users)]
    async with log_being_filled(data_dir) as url:
        await people.store(url, people.models(users))
        count = await people.store(url, people.tells_in_turn(users, sizes.log_commands - len(users)))
    if count != sizes.log_commands:
        raise BenchError(f"{count} of {sizes.log_commands} commands are in the log")
    values: list[float] = []
    limits: list[float] = []
    async with log_server(data_dir) as url:
        for number in range(sizes.long_rounds):
            limits.append(count / (await measured("reader", url, str(count)))["seconds"])
            values.append(await _rate_of_worker(ground, url, number, count))
    counted = (
        f"{count:,} commands by {len(users)} users, empty shards, from run_worker to on_ready; "
        "limit: nats-py ordered consumer, from subscribe to the last message"
    )
    return Result(at_least(CATCH_UP_BAR, "commands/s", values, limits), counted)


async def _rate_of_worker(ground: BenchGround, url: str, number: int, count: int) -> float:
    found = await measured("worker", url, str(ground.new_folder(f"worker-{number}")), str(PARTITIONS))
    if found["commands"] != count:
        raise BenchError(f"{found['commands']} of {count} commands are in the shards")
    return float(count / found["seconds"])
