"""The memory of active models. `resident SHARD WARM COUNT`.

Models are activated from the shard and asked for all they hold, as a worker does. The first WARM of them fill SQLite's
bounded page cache, what is kept ready of busy models, and whatever else is made once; the growth of the process's
private memory over the COUNT that follow is theirs.
"""

import gc
import sys
import time
from pathlib import Path

import psutil

from actors.answers import Answers
from actors.live import ActiveModels
from actors.partition import Partition
from actors.store.shard import Shard
from bench import people, residents
from bench.programs.loop import report, run
from bus.subjects import Address
from schemas.codec import encode
from schemas.queries import Ask
from schemas.replies import AskReply


async def main(shard_file: str, warm: str, count: str) -> None:
    """Activate, and report the bytes that each model takes."""
    first, last = int(warm), int(warm) + int(count)
    shard = await Shard.open(Path(shard_file))
    answers = Answers(Partition(0, shard, ActiveModels(last)), time.time, lambda: shard.committed_seq)
    await _activate(answers, range(first))
    before = _private_bytes()
    await _activate(answers, range(first, last))
    report(bytes=(_private_bytes() - before) / int(count))
    await shard.close()


async def _activate(answers: Answers, numbers: range) -> None:
    for number in numbers:
        user = people.person(number)
        for context in residents.definition(user).contexts:
            answer = answers.answer(Address(0, user, people.APP, "ask"), encode(Ask(context=context.path)))
            reply = answer if isinstance(answer, AskReply) else await answer()  # type: ignore[operator]
            assert isinstance(reply, AskReply)
            assert len(reply.components) == len(context.components)
            assert all(component.value is not None for component in reply.components)


def _private_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_full_info().uss)


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
