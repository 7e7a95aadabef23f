"""A probe shows that a command would be applied, and leaves nothing."""

from bus.jetstream import JetStream
from bus.pings import ping
from bus.probes import probe
from bus.subjects import DEFAULT_LOG_STREAMS, REJECTED_STREAM, log_stream_of
from tests.actors.hosting import HERS, Host
from tests.waiting import DEADLINE_S


async def test_a_probe_is_applied_and_erased(host: Host) -> None:
    """Neither the log nor the rejections have it; the partition says that it has applied something."""
    worker = await host.worker("one")
    await worker.add(HERS)
    before = await ping(host.llum.bus, HERS, DEADLINE_S)
    assert before is not None
    assert before.idle_s is None
    assert await probe(host.llum.bus, HERS, DEFAULT_LOG_STREAMS, DEADLINE_S) is None
    after = await ping(host.llum.bus, HERS, DEADLINE_S)
    assert after is not None
    assert after.idle_s is not None
    assert after.applied_seq > before.applied_seq
    await worker.remove(HERS)
    jetstream = JetStream(host.llum.bus)
    assert await jetstream.count(log_stream_of(HERS, DEFAULT_LOG_STREAMS), ">") == 0
    assert await jetstream.count(REJECTED_STREAM, ">") == 0
    await worker.add(HERS)
    await host.llum.make_person("alice", "a")


async def test_a_probe_that_nobody_applies_says_so(host: Host) -> None:
    """It is erased all the same."""
    why = await probe(host.llum.bus, HERS, DEFAULT_LOG_STREAMS, 0.2)
    assert why == f"a command in partition {HERS} was not applied within 0.2 s"
    assert await JetStream(host.llum.bus).count(log_stream_of(HERS, DEFAULT_LOG_STREAMS), ">") == 0


async def test_a_log_that_takes_nothing_is_told(host: Host) -> None:
    """In nats-server's own words."""
    jetstream, stream = JetStream(host.llum.bus), log_stream_of(HERS, DEFAULT_LOG_STREAMS)
    config = (await jetstream.call(f"STREAM.INFO.{stream}"))["config"]
    await jetstream.call(f"STREAM.UPDATE.{stream}", config | {"max_bytes": 1})
    why = await probe(host.llum.bus, HERS, DEFAULT_LOG_STREAMS, DEADLINE_S)
    assert why is not None
    assert "the log takes no commands" in why
    assert "maximum bytes exceeded" in why
