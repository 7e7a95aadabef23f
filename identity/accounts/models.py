"""The model that comes with an account: made from the default definition, with what is known of the person."""

import time
from collections.abc import Mapping
from typing import Final

from bus.as_app import AsApp, LastWrites, Sending, new_id
from identity.new_people import components_at, default_model
from identity.registrations import access
from schemas.apps import OWNER_APP, SIGN_IN_APP
from schemas.commands import Import, MakeModel
from schemas.definitions import ImportedComponent, ImportedContext
from schemas.errors import Code, Refusal
from schemas.evidence import ImportedEvidence

PROFILE: Final = ("firstname", "lastname", "email", "gid", "picture")
"""What a profile may say: the components of `Personal` that hold a text."""

MAX_PROFILE_CHARACTERS: Final = 1024
"""Characters of one value of a profile."""

_PERSONAL: Final = "Personal"


async def make_model(requests: Sending, user: str) -> None:
    """Make the model, with llum's own app as its owner's. Raises `already_exists`, `Transient`."""
    made = MakeModel(id=new_id(), definition=default_model(user), owner=OWNER_APP)
    await AsApp(requests, user, SIGN_IN_APP, LastWrites()).send(made)


async def is_there(requests: Sending, user: str) -> bool:
    """Tell whether there is a model. Raises `Transient`."""
    try:
        await access(requests, user, OWNER_APP)
    except Refusal as refusal:
        return refusal.code is not Code.NO_SUCH_MODEL
    return True


async def check_claimable(requests: Sending, user: str) -> bool:
    """Tell whether there is a model that llum's own app speaks for. Raises `permission_denied` when it does not."""
    try:
        role = (await access(requests, user, OWNER_APP)).role
    except Refusal as refusal:
        if refusal.code is Code.NO_SUCH_MODEL:
            return False
        role = None
    if role != "owner":
        hint = f"the operator makes it one: `llum admin app add {user} {OWNER_APP} --owner`"
        raise Refusal(Code.PERMISSION_DENIED, f"{OWNER_APP} is no owner's app of the model {user}", "user", hint)
    return True


async def tell_profile(requests: Sending, user: str, profile: Mapping[str, str], source: str) -> None:
    """Tell `Personal` what a profile says, as evidence from `source`. Raises `Refusal`, `Transient`."""
    now = time.time()
    components = [
        ImportedComponent(
            definition=component,
            evidence=[ImportedEvidence(value=value, source=source, owner=user, creation_time=now)],
        )
        for component in components_at(default_model(user), [_PERSONAL])
        if component.name in PROFILE and (value := profile.get(component.name, "").strip()[:MAX_PROFILE_CHARACTERS])
    ]
    if components:
        command = Import(id=new_id(), context=[], contexts=[ImportedContext(path=[_PERSONAL], components=components)])
        await AsApp(requests, user, OWNER_APP, LastWrites()).send(command)
