"""When a person is forgotten, nothing of what apps have signed in with is left."""

from pathlib import Path

from identity.authenticator import Authenticator
from identity.registrations import access
from llum.client import Client
from llum.people.forgetting import forget_person
from tests.actors.serving import serving


async def test_sign_ins_of_a_forgotten_person_are_erased_and_counted(tmp_path: Path) -> None:
    """Those of others stay. Codes that are on their way name nobody, and lead nowhere."""
    async with serving(tmp_path) as llum:
        for user in ("alice", "bob"):
            await llum.make_person(user, "x")
            await llum.grant(user, "fitbit")
        authenticator = Authenticator(llum.bus, llum.requests)
        registration = (await access(llum.requests, "alice", "fitbit")).registration
        for user in ("alice", "bob"):
            await authenticator.oauth.begin_family(user, "fitbit", registration)
        async with Client.connect(llum.bus.url) as client:
            receipt = await forget_person(client, "alice", tmp_path / "nowhere")
        assert (receipt.removed.families, receipt.left.families) == (1, 0)
        assert await authenticator.oauth.families_of("alice") == []
        assert len(await authenticator.oauth.families_of("bob")) == 1
