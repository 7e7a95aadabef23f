"""What llum finds or makes in a server, and how it says what does not fit."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bus.connection import Bus
from bus.embedded import EmbeddedServer
from bus.errors import InstallationError
from bus.installation import Installation, check, check_server, find, install
from bus.jetstream import JetStream
from bus.kv import Bucket
from bus.log import stream_last
from bus.log_format import LOG_FORMAT
from bus.streams import FIRST_SEQUENCE, bucket_stream
from bus.subjects import INSTALLATION_BUCKET, server_mappings
from tests.bus.conftest import PARTITIONS, Connect
from tests.nats_server import running_server


class OtherServer(EmbeddedServer):
    """A server configured by someone who does not know llum's needs."""

    def __init__(self, data_dir: Path, mappings: dict[str, str], *, jetstream: bool = True) -> None:
        super().__init__(data_dir, sync_interval="10s")
        self._other = mappings
        self._jetstream = jetstream

    def _mappings(self) -> dict[str, str]:
        return self._other

    def configuration(self) -> str:
        text = super().configuration()
        if self._jetstream:
            return text
        start, _, rest = text.partition("jetstream {")
        return start + rest.partition("}\n")[2].replace('"jetstream": "enabled",', "")


async def install_on(server: EmbeddedServer, tmp_path: Path, partitions: int = PARTITIONS) -> Any:
    async with running_server(tmp_path, server=server):
        bus = await Bus.connect(server.url_as("operator"), name="test")
        try:
            return await install(bus, partitions)
        finally:
            await bus.close()


async def test_an_empty_server_is_set_up_and_stores_nothing_in_the_log(connect: Connect) -> None:
    """What is fixed is recorded; the probes of the mappings leave no trace."""
    bus = await connect()
    assert await find(bus) is None
    made = await install(bus, PARTITIONS)
    assert made.installation == await find(bus) == Installation(PARTITIONS, 8, log_format=LOG_FORMAT)
    assert {"LLUM_LOG_0", "LLUM_LOG_7", "LLUM_REJECTED", "KV_LLUM_INSTALLATION"} <= set(made.streams)
    assert await stream_last(bus) == FIRST_SEQUENCE - 1


async def test_a_start_without_an_installation_makes_nothing(connect: Connect) -> None:
    """The address may be wrong: then an llum that knows nobody would be worse than none."""
    bus = await connect()
    with pytest.raises(InstallationError) as caught:
        await check(bus, PARTITIONS)
    assert "llum admin install" in caught.value.hint
    assert await JetStream(bus).streams(">") == []


async def test_a_start_on_an_installation_makes_what_it_lacks(bus: Bus) -> None:
    """As a newer llum may need a stream more; what is fixed stays."""
    await JetStream(bus).call("STREAM.DELETE.LLUM_REJECTED")
    assert await check(bus, PARTITIONS) == Installation(PARTITIONS, 1)
    assert "LLUM_REJECTED" in await JetStream(bus).streams(">")


async def test_several_who_install_at_once_agree(connect: Connect) -> None:
    """One of them records what is fixed, and all give that."""
    buses = [await connect() for _ in range(4)]
    made = await asyncio.gather(*(install(bus, PARTITIONS, streams) for streams, bus in enumerate(buses, 1)))
    assert len({one.installation for one in made}) == 1


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        pytest.param("partitions", b"64", "format 1", id="format 1, which recorded no format"),
        pytest.param(
            "installation",
            b'{"partitions":64,"log_streams":8,"log_format":%d}' % (LOG_FORMAT + 1),
            f"format {LOG_FORMAT + 1}",
            id="a newer one",
        ),
    ],
)
@pytest.mark.parametrize("start", [check, install])
async def test_an_installation_of_another_format_is_refused(
    connect: Connect, start: Any, key: str, value: bytes, named: str
) -> None:
    """Neither a start nor installing touches it; the way on is said."""
    bus = await connect()
    await JetStream(bus).call(f"STREAM.CREATE.KV_{INSTALLATION_BUCKET}", bucket_stream(INSTALLATION_BUCKET))
    await Bucket(bus, INSTALLATION_BUCKET).put(key, value)
    with pytest.raises(InstallationError) as caught:
        await start(bus, PARTITIONS)
    assert named in caught.value.message
    assert "llum admin person export" in caught.value.hint
    assert await JetStream(bus).streams(">") == [f"KV_{INSTALLATION_BUCKET}"]


async def test_installing_again_changes_nothing(bus: Bus, connect: Connect) -> None:
    """Every process of an `llum up` may do it at its start, several at once too."""
    before = (await JetStream(bus).call("STREAM.INFO.LLUM_LOG_0"))["config"]
    again = await asyncio.gather(*(install(other, PARTITIONS) for other in [await connect() for _ in range(3)]))
    assert [made.streams for made in again] == [[], [], []]
    assert (await JetStream(bus).call("STREAM.INFO.LLUM_LOG_0"))["config"] == before


async def test_the_log_takes_no_headers_that_write_elsewhere(bus: Bus) -> None:
    """With schedules, TTLs, rollups or counters an app could write as another, or erase."""
    config = (await JetStream(bus).call("STREAM.INFO.LLUM_LOG_0"))["config"]
    flags = ("allow_msg_schedules", "allow_msg_ttl", "allow_rollup_hdrs", "allow_msg_counter")
    assert not any(config.get(flag) for flag in flags)


async def test_another_number_of_partitions_is_refused(tmp_path: Path) -> None:
    """Also when the mappings were changed to match it: people would be looked for where they are not."""
    await install_on(EmbeddedServer(tmp_path, partitions=64), tmp_path, 64)
    with pytest.raises(InstallationError) as caught:
        await install_on(EmbeddedServer(tmp_path, partitions=32), tmp_path, 32)
    assert caught.value.message == "this installation has 64 partitions, LLUM_PARTITIONS says 32"


async def test_a_server_without_mappings_is_refused_with_the_lines_it_needs(tmp_path: Path) -> None:
    """They can be copied into its configuration."""
    with pytest.raises(InstallationError) as caught:
        await install_on(OtherServer(tmp_path, {"other.subject": "another.subject"}), tmp_path)
    for source, to in server_mappings(PARTITIONS).items():
        assert f'"{source}": "{to}"' in caught.value.hint


@pytest.mark.parametrize("missing", ["llum.cmd.*.*.*", "llum.ask.*.*.*"])
async def test_a_server_with_one_mapping_of_the_two_is_refused(tmp_path: Path, missing: str) -> None:
    """Commands alone, or asks alone, are not enough."""
    mappings = {source: to for source, to in server_mappings(PARTITIONS).items() if source != missing}
    with pytest.raises(InstallationError):
        await install_on(OtherServer(tmp_path, mappings), tmp_path)


async def test_mappings_to_another_number_of_partitions_are_refused(tmp_path: Path) -> None:
    """32 and 64 agree on half of the users only."""
    with pytest.raises(InstallationError) as caught:
        await install_on(OtherServer(tmp_path, server_mappings(32)), tmp_path)
    assert "other partitions" in caught.value.message


async def test_a_server_without_jetstream_is_refused(tmp_path: Path) -> None:
    """It says what to add to the configuration."""
    with pytest.raises(InstallationError) as caught:
        await install_on(OtherServer(tmp_path, server_mappings(PARTITIONS), jetstream=False), tmp_path)
    assert "without JetStream" in caught.value.message


@pytest.mark.parametrize("version", ["2.13.9", "2.9.25", "1.4.1", "0", "nonsense"])
def test_a_server_that_is_too_old_is_refused(version: str) -> None:
    """The oldest that will do is named."""
    with pytest.raises(InstallationError) as caught:
        check_server({"version": version, "jetstream": True})
    assert version in caught.value.message
    assert "2.14" in caught.value.hint


@pytest.mark.parametrize("version", ["2.14.0", "2.14.0-beta.1", "2.15.1", "3.0.0"])
def test_a_server_that_is_new_enough_will_do(version: str) -> None:
    """Versions are compared as numbers."""
    check_server({"version": version, "jetstream": True})


async def test_an_operator_may_tune_a_stream(bus: Bus) -> None:
    """Compression, for example, is theirs."""
    config = (await JetStream(bus).call("STREAM.INFO.LLUM_LOG_0"))["config"]
    await JetStream(bus).call("STREAM.UPDATE.LLUM_LOG_0", {**config, "compression": "s2"})
    assert await check(bus, PARTITIONS) == Installation(PARTITIONS, 1)


@pytest.mark.parametrize("change", [{"max_age": 3600 * 10**9}, {"allow_rollup_hdrs": True}])
async def test_a_stream_that_was_changed_against_its_purpose_is_refused(bus: Bus, change: dict[str, Any]) -> None:
    """A log that forgets, or that apps can erase, is none."""
    config = (await JetStream(bus).call("STREAM.INFO.LLUM_LOG_0"))["config"]
    await JetStream(bus).call("STREAM.UPDATE.LLUM_LOG_0", {**config, **change})
    with pytest.raises(InstallationError) as caught:
        await check(bus, PARTITIONS)
    assert next(iter(change)) in caught.value.message
