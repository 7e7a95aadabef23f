"""A forget where the log was cut waits for a snapshot without the person, and nothing keeps that from being made.

Method: workers in this process on a real nats-server.
"""

from pathlib import Path

import pytest

from bus import checkpoints
from bus.aside import remove_aside
from schemas.commands import Forget, Tell
from schemas.evidence import NewEvidence
from schemas.replies import Refused
from tests.actors.hosting import ALICE, HERS, Host
from tests.actors.snapping import lines, seqs
from tests.actors.test_cutting import BEN, cut, lived
from tests.waiting import DEADLINE_S


async def test_what_another_primary_has_relayed_does_not_keep_a_forget_waiting(host: Host) -> None:
    """It is in the outbox of a worker that takes over, or that begins with a snapshot, and nothing takes it away."""
    worker = await lived(host)
    await cut(host, worker)
    await worker.set_primary(HERS, False)
    tell = Tell(id="refused", context=["c"], component="none", evidence=NewEvidence(value=1))
    refused = await host.llum.requests.send(BEN, "llum", tell, DEADLINE_S)
    assert isinstance(refused, Refused)
    await checkpoints.write(host.llum.bus, HERS, refused.seq)
    await worker.set_primary(HERS, True)
    forgotten = await host.llum.requests.send(ALICE, "llum", Forget(id="forget"), DEADLINE_S)
    assert await seqs(host.llum.bus) == [forgotten.seq]


async def test_a_file_that_could_not_be_written_anew_at_a_forget_is_before_its_snapshot_is_made(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else happens in the partition that would have it tried again."""
    failures = iter([OSError("no room")])

    def remove(path: Path) -> None:
        for failure in failures:
            raise failure
        remove_aside(path)

    worker = await lived(host)
    await cut(host, worker)
    monkeypatch.setattr("actors.store.shard.remove_aside", remove)
    with lines() as logs:
        forgotten = await host.llum.requests.send(ALICE, "llum", Forget(id="forget"), DEADLINE_S)
    assert "traces_not_removed" in [one["event"] for one in logs]
    assert await seqs(host.llum.bus) == [forgotten.seq]
