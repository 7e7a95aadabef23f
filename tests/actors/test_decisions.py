"""Decisions about apps over the bus: there at once, after a restart, and after the shards were made anew."""

import shutil
from pathlib import Path

from schemas.commands import Forget
from schemas.grants import Consent, GrantsReply
from schemas.queries import Grants
from schemas.slices import Slice
from tests.actors.serving import Llum, speaking, worker
from tests.waiting import DEADLINE_S

ASK = Slice(paths=["c"], actions=["ask"])


async def grants(llum: Llum, app: str | None = None, asker: str = "llum", user: str = "alice") -> GrantsReply:
    reply = await llum.requests.ask(user, asker, Grants(app=app), DEADLINE_S)
    assert isinstance(reply, GrantsReply)
    return reply


async def test_decisions_are_there_whatever_was_committed(tmp_path: Path) -> None:
    """Waiting rows, committed ones, and those that a worker makes anew from the log say the same."""
    async with speaking(tmp_path) as (server, llum):
        url, shards = server.url_as("operator"), tmp_path / "shards"
        async with worker(url, shards):
            for user in ("alice", "bob"):
                await llum.make_person(user, "a")
                await llum.do(Consent(id="1", app="probe", decision="allowed", granted=[ASK], purpose=user), user)
            await llum.do(Consent(id="2", app="probe-2", decision="refused", refused=[ASK]))
            await llum.do(Consent(id="3", app="probe", decision="revoked"))
            at_once, own = await grants(llum), await grants(llum, asker="probe")
            of_one = await grants(llum, "probe")
        async with worker(url, shards):
            assert await grants(llum) == at_once
            assert await grants(llum, "probe") == of_one
        shutil.rmtree(shards)
        async with worker(url, shards):
            assert await grants(llum) == at_once
            assert await grants(llum, asker="probe") == own
            await llum.do(Forget(id="f"))
            await llum.make_person("alice", "a")
            assert [one.app for one in (await grants(llum)).apps] == ["llum"]
            assert len((await grants(llum, user="bob")).apps) == 2
    probe, other = at_once.apps[1:]
    assert [one.decision for one in probe.decisions] == ["revoked", "allowed"]
    assert [one.decision for one in other.decisions] == ["refused"]
    assert of_one.apps == [probe]
