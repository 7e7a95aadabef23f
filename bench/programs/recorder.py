"""A worker whose clock for the record of who asked runs faster. `recorder NATS_URL FOLDER on|off TIMES`.

`off` is a switch of the measurement alone: asks are answered, and nothing is counted.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import actors.asked
import model.asked.tally
from actors.answers import Answers
from actors.share import share_as
from actors.worker import run_worker
from bench.programs.loop import report, run, until_terminated
from bus.connection import Bus
from bus.installation import find
from llum.processes import logs
from llum.processes.log_files import RotatingFile
from llum.processes.worker import look_for_garbage_seldom
from model.asked.tally import Question
from schemas.levels import Levels


async def main(url: str, folder: str, switch: str, times: str) -> None:
    """Serve until terminated."""
    _hurry(float(times))
    if switch == "off":
        _count_nothing()
    look_for_garbage_seldom()
    logs.set_up("info", [RotatingFile(Path(folder) / "worker.jsonl")], process="worker", pid=os.getpid())
    bus = await Bus.connect(url, name="bench-recorder")
    installation = await find(bus)
    assert installation is not None, "the benchmark has installed it"
    stop = asyncio.Event()
    serving = asyncio.create_task(
        run_worker(
            bus,
            shard_dir=Path(folder) / "shards",
            partitions=installation.partitions,
            share=share_as("bench"),
            log_streams=installation.log_streams,
            max_active_models=100_000,
            on_ready=lambda: report(ready=True),
            stop=stop,
            levels=Levels(installation.level),
        )
    )
    await until_terminated()
    stop.set()
    await serving
    await bus.close()


def _hurry(times: float) -> None:
    repeats_wait_s = model.asked.tally.REPEATS_WAIT_S / times
    for module in (actors.asked, model.asked.tally):
        setattr(module, "REPEATS_WAIT_S", repeats_wait_s)  # noqa: B010 - a constant for everybody else
    for name in ("MINUTE_S", "SPACING_S"):
        setattr(actors.asked, name, getattr(actors.asked, name) / times)


def _count_nothing() -> None:
    nothing = Question("", (), 0.0, 0.0)

    def question(*_: Any) -> Question:
        return nothing

    # The look whether a question was asked lately, 0.2 µs, is there on both sides.
    Answers._new_question = question  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
