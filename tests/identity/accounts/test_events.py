"""What is done to an account, in the record of who asked."""

from bus.as_app import new_id
from identity.accounts.events import EVENTS, events_of, in_words, note
from schemas.asked import OPERATOR, AskedReply
from schemas.commands import MakeModel
from schemas.queries import Asked
from tests.actors.serving import Llum


async def test_events_are_there_at_once_the_latest_first(llum: Llum) -> None:
    """With who did it, if it was not the person, and from where; of nobody else."""
    await note(llum.bus, "alice", "signed_up", place="192.0.2.7")
    await note(llum.bus, "bob", "signed_up")
    await note(llum.bus, "alice", "made_administrator", by=OPERATOR)
    found = [(one.verb, one.by, one.place) for one in await events_of(llum.bus, "alice")]
    assert found == [("made_administrator", "operator", None), ("signed_up", None, "192.0.2.7")]


async def test_the_owner_sees_them_among_who_asked(llum: Llum) -> None:
    """The query `asked` has them, and does not add up what differs in who did it."""
    await llum.do(MakeModel(id=new_id()), "alice", "_admin")
    for by in (OPERATOR, "admin:bob", "admin:bob", None):
        await note(llum.bus, "alice", "set_password", by=by)
    reply = await llum.requests.ask("alice", "llum", Asked())
    assert isinstance(reply, AskedReply)
    found = {(one.by, one.count) for one in reply.rows if one.kind == "account"}
    assert found == {("operator", 1), ("admin:bob", 2), (None, 1)}


def test_each_event_is_said_in_words() -> None:
    """One of a command in the command's own."""
    assert in_words("signed_in_with_passkey") == "signed in with a passkey"
    assert in_words("admin_app_permit") == "admin app permit"
    assert all(words and "_" not in words for words in EVENTS.values())
