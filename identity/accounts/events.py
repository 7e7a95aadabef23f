"""What is done to an account or with it, in the record of who asked about the person: theirs to see, at once.

await note(bus, "alice", "signed_in_with_passkey", place="192.0.2.7")
await note(bus, "alice", "made_administrator", by=OPERATOR)
"""

import time
from typing import Final

from bus import asked
from bus.as_app import new_id
from bus.asked import PersonsWindow
from bus.connection import Bus
from bus.logger import get_logger
from schemas.apps import OWNER_APP
from schemas.asked import AskedRow, AskedWindow
from schemas.errors import Transient

MOST: Final = 50
"""Events that are shown to a person, the latest ones."""

EVENTS: Final = {
    "signed_up": "signed up",
    "signed_in_with_passkey": "signed in with a passkey",
    "signed_in_with_password": "signed in with the password",
    "signed_in_with_recovery_code": "signed in with a recovery code",
    "signed_in_with_link": "signed in with a one-time link",
    "signed_in_with_issuer": "signed in with a linked identity",
    "sign_in": "let a command line sign in",
    "set_password": "set the password",
    "removed_password": "removed the password",
    "added_passkey": "added a passkey",
    "removed_passkey": "removed a passkey",
    "made_recovery_codes": "made new recovery codes",
    "linked_identity": "linked an identity",
    "unlinked_identity": "removed a linked identity",
    "made_administrator": "made administrator",
    "app_signed_in": "signed an app in",
    "app_signed_out": "signed an app out",
    "app_signed_out_as_copied": "signed an app out: somebody else had a copy of its refresh token",
    "added_client": "added a client",
    "changed_client": "changed a client",
    "made_client_secret": "made a new secret for a client",
    "deleted_client": "deleted a client",
    "admin_account_make_administrator": "made administrator",
    "admin_account_invite": "made a link to claim the model",
    "admin_account_recover": "made a link to come back to the account",
}
"""What people are told of an event, by its verb. What an operator does has the words of the command as its verb:
`admin_app_permit`."""

log = get_logger("llum.identity")


async def note(
    bus: Bus, user: str, event: str, *, by: str | None = None, place: str | None = None, app: str = OWNER_APP
) -> None:
    """Write an event into a person's record. What cannot be written is logged: nothing fails for it."""
    now = time.time()
    row = AskedRow(
        app=app, verb=event, kind="account", grant="owner" if by is None else "", by=by, place=place or None,
        count=1, first=now, last=now,
    )  # fmt: skip
    try:
        await asked.publish(bus, [PersonsWindow(user, AskedWindow(id=new_id(), rows=[row]))])
    except Transient as error:
        log.error("event_lost", user=user, verb=event, error=str(error))


async def note_of_app(bus: Bus, user: str, app: str, event: str) -> None:
    """Write what was done with an app's sign-in into a person's record, as that app's."""
    await note(bus, user, event, app=app)


async def events_of(bus: Bus, user: str) -> list[AskedRow]:
    """Give the latest events of an account, the latest first. Raises `Transient`, `ApiError`."""
    rows = [row for row in await asked.read(bus, user) if row.kind == "account"]
    return sorted(rows, key=lambda row: -row.last)[:MOST]


def in_words(verb: str) -> str:
    """Say what an event was."""
    return EVENTS.get(verb) or verb.replace("_", " ")
