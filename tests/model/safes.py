"""What tests of preferences are given: a safe that is a model of its own, and people whose models hold preferences."""

import json
from collections.abc import Mapping
from typing import Any

from model.caches import Caches
from model.resolvers.summaries import SHIPPED
from schemas.apps import PREFERENCES_APP
from schemas.errors import Error
from schemas.preferences import PreferencesReply, PutPreferences, SafeFacts
from schemas.queries import Preferences

from .applying import Applied
from .given import Person
from .memory_store import MemoryStore


def body_of(preferences: Any, set_id: str = "gpii-default", **members: Any) -> dict[str, Any]:
    """Make a body with one set of preferences."""
    return {"contexts": {set_id: {"preferences": preferences}}, **members}


class Owner(Person):
    """Alice, with a model like any other."""

    acting = "llum"
    facts: SafeFacts | None = None

    def put(self, body: Any, view: str = "flat", app: str | None = None, **members: Any) -> Any:
        """Put preferences, and give the result."""
        return self.do_put(body, view, app, **members).result

    def do_put(self, body: Any, view: str = "flat", app: str | None = None, **members: Any) -> Applied:
        """Put preferences, and give what came of it."""
        make = members.pop("make", self.facts)
        return self.do(PutPreferences(id="p", view=view, body=body, make=make, **members), app or self.acting)

    def refuses_put(self, body: Any, view: str = "flat", app: str | None = None, **members: Any) -> Any:
        """Expect a refusal that changes nothing, and give the error."""
        return self.refuses(PutPreferences(id="p", view=view, body=body, **members), app or self.acting)

    def preferences(self, app: str | None = None, **members: Any) -> PreferencesReply:
        reply = self.answered(Preferences(**members), app or self.acting)
        assert isinstance(reply, PreferencesReply)
        return reply

    def sets(self, app: str | None = None, **members: Any) -> dict[str, Any]:
        return self.preferences(app, **members).sets

    def refuses_ask_preferences(self, app: str, **members: Any) -> Error:
        """Expect a refusal of the query."""
        return self.refuses_ask(Preferences(**members), app)


class Safe(Owner):
    """A safe that is a model of its own: made by the first body that is put."""

    acting = PREFERENCES_APP
    facts = SafeFacts(key="alice-key")

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.resolvers = SHIPPED
        self.seq = 0
        self.model = None
        self.caches = Caches()


def text(sets: Mapping[str, Any]) -> str:
    """Write sets so that the order of their members counts."""
    return json.dumps(sets)
