"""A running llum whose paths of preferences are open, and what a program of the preferences service does with it."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bus.as_app import AsApp, LastWrites, new_id
from identity.preferences.keys import PreferenceKeys
from llum.client import Client
from schemas.apps import PREFERENCES_APP
from schemas.preferences import PreferencesReply, PutPreferences, SafeFacts, SafeType
from schemas.queries import Preferences
from tests.system.harness import Llum

ANSWER_S = 120.0


class OpenLlum(Llum):
    """Answers without a token."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"LLUM_PREFERENCES_OPEN": "1"}


class PreferencesStage:
    """Speaks over HTTP as a program does, and over the bus as whoever moves safes in."""

    def __init__(self, llum: Llum) -> None:
        self.llum = llum
        self.http = httpx.Client(base_url=llum.http, timeout=ANSWER_S)

    def get(self, key: str, **query: str) -> httpx.Response:
        return self.http.get(f"/preferences/{key}", params=query)

    def put(self, key: str, body: Any, **query: str) -> httpx.Response:
        return self.http.put(f"/preferences/{key}", params=query, json=body)

    def patch(self, key: str, body: Any, **query: str) -> httpx.Response:
        kind = {"Content-Type": "application/merge-patch+json"}
        return self.http.patch(f"/preferences/{key}", params=query, json=body, headers=kind)

    def read(self, key: str, **query: str) -> Any:
        """Get preferences that are there."""
        answer = self.get(key, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def settings(self, key: str, **query: str) -> Any:
        """Get those of the usual set."""
        return self.read(key, **query)["contexts"].get("gpii-default", {}).get("preferences", {})

    def write(self, key: str, settings: Mapping[str, Any], **query: str) -> None:
        """Put settings into the usual set."""
        answer = self.put(key, body_of(settings), **query)
        assert answer.status_code == 200, answer.text

    def load(self, safes: Mapping[str, Mapping[str, Any]], kind: SafeType = "user") -> None:
        """Make safes that hold what is given by ontology, each with a key."""
        asyncio.run(_load(self.llum.nats, safes, kind))

    def stored(self, key: str) -> dict[str, Any]:
        """Give what a safe holds, by ontology."""
        return asyncio.run(_stored(self.llum.nats, key))


@contextmanager
def open_stage(folder: Path) -> Iterator[PreferencesStage]:
    """Run an llum, and a client of it."""
    llum = OpenLlum(folder)
    try:
        llum.start()
        stage = PreferencesStage(llum)
        with stage.http:
            yield stage
    finally:
        llum.clean_up()


def body_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Put settings into the usual set."""
    return {"contexts": {"gpii-default": {"preferences": dict(settings)}}}


async def _load(nats: str, safes: Mapping[str, Mapping[str, Any]], kind: SafeType) -> None:
    async with Client.connect(nats) as client:
        for key, views in safes.items():
            (view, body), *others = views.items()
            facts = SafeFacts(key=key, type=kind, sets=dict(others))
            safe = await _safe(client, key)
            await safe.send(PutPreferences(id=new_id(), view=view, body=body, make=facts))


async def _stored(nats: str, key: str) -> dict[str, Any]:
    async with Client.connect(nats) as client:
        reply = await (await _safe(client, key)).find(Preferences(), PreferencesReply)
        return reply.sets


async def _safe(client: Client, key: str) -> AsApp:
    user = await PreferenceKeys(client.bus).safe_user(key)
    return AsApp(client.requests, user, PREFERENCES_APP, LastWrites())
