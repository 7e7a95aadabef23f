"""Sign-ins of apps among all that opens a person's model."""

from pathlib import Path

from identity.apps import Apps
from identity.authenticator import Authenticator
from identity.credentials import list_credentials, revoke
from identity.registrations import access
from tests.actors.serving import serving


async def test_a_sign_in_is_listed_with_its_tokens_and_ended(tmp_path: Path) -> None:
    """By an id that opens nothing; others go on."""
    async with serving(tmp_path) as llum:
        await llum.make_person("alice", "x")
        await llum.grant("alice", "fitbit")
        authenticator = Authenticator(llum.bus, llum.requests)
        registration = (await access(llum.requests, "alice", "fitbit")).registration
        first, other = [await authenticator.oauth.begin_family("alice", "fitbit", registration) for _ in range(2)]
        found = await list_credentials(authenticator, "alice")
        assert [(one.kind, one.sign_in) for one in found if one.sign_in == first.family] == [
            ("sign-in", first.family),
            ("token", first.family),
        ]
        assert all(one.works for one in found)
        assert (await revoke(authenticator, "alice", first.family)).kind == "sign-in"
        left = await list_credentials(authenticator, "alice")
        assert {one.sign_in for one in left} == {other.family}
        assert await authenticator.by_token(first.access_token) is None
        assert await authenticator.by_token(other.access_token) is not None


async def test_with_an_app_its_sign_ins_go(tmp_path: Path) -> None:
    """Nothing of them is left in the bucket."""
    async with serving(tmp_path) as llum:
        await llum.make_person("alice", "x")
        await llum.grant("alice", "fitbit")
        authenticator = Authenticator(llum.bus, llum.requests)
        registration = (await access(llum.requests, "alice", "fitbit")).registration
        await authenticator.oauth.begin_family("alice", "fitbit", registration)

        async def send(command: object) -> object:
            return await llum.requests.send("alice", "llum", command)  # type: ignore[arg-type]

        async def ask(query: object) -> object:
            return await llum.requests.ask("alice", "llum", query)  # type: ignore[arg-type]

        await Apps("alice", send, ask, authenticator).remove("fitbit")  # type: ignore[arg-type]
        assert await authenticator.oauth.families_of("alice") == []
