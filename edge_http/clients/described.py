"""What the form of a client says: its fields, one line for each address."""

from typing import Any

import msgspec

from edge_http.sessions.forms import Form
from identity.oauth.clients import OAuthClient
from schemas.errors import LlumError, raised_from


def described(form: Form, before: OAuthClient) -> OAuthClient:
    """Give a client as a form wants it to be. Whatever is no field of the form stays as it was."""
    given: dict[str, Any] = {name: form.get(name).strip() for name in ("name", "home", "description", "audience")}
    given |= {name: form.get(name).split() for name in ("redirect_uris", "origins")}
    given |= {name: name in form for name in ("legacy", "may_own")}
    given["kind"] = "confidential" if "confidential" in form else "public"
    return msgspec.structs.replace(before, **given)


def of_the_field(error: LlumError) -> LlumError:
    """Give an error that names a field of the form: all addresses are in one."""
    field = (error.error.field or "").partition("[")[0]
    return error if not field else raised_from(msgspec.structs.replace(error.error, field=field))
