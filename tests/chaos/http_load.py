"""The same over HTTP, by both edges in turn: tells with ids and asks with the sequence of the last one, preferences."""

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import aiohttp

from bus.connection import Bus
from bus.requests import Requests
from identity.preferences.keys import PreferenceKeys
from schemas.apps import PREFERENCES_APP
from tests.chaos.load import PAUSE_S, Numbers, Person
from tests.chaos.report import Findings

ATTEMPT_S = 15.0
"""Seconds for one attempt; the next one goes to another edge, with the same id."""

AGAIN_S = 0.1
"""Seconds until the next attempt."""

AGAIN_STATUSES = (429, 503)

POST_EVERY = 10
"""Of so many settings that are put one is posted, too, under a key of its own."""

TERM = "http://example.org/chaos/number"
"""No ontology says which values it may have."""

Answer = tuple[dict[str, str], Any]
"""Headers and JSON."""


class Edges:
    """All edges, each asked in turn."""

    def __init__(self, urls: list[str]) -> None:
        self._turns: Iterator[str] = itertools.cycle(urls)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ATTEMPT_S))

    async def until_known(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request until an edge says what has become of it."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        while True:
            try:
                async with self._session.request(method, next(self._turns) + path, json=body, headers=sent) as answer:
                    if answer.status not in AGAIN_STATUSES:
                        text = await answer.text()
                        assert answer.status == 200, f"{method} {path}: {answer.status} {text}"
                        return dict(answer.headers), await answer.json()
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        await self._session.close()


class HttpPerson(Person):
    """As a person on the bus; the sequence of each tell is handed on, so that it may be asked for anywhere."""

    kind = "tells by HTTP"

    def __init__(self, user: str, requests: Requests, findings: Findings, edges: Edges) -> None:
        super().__init__(user, requests, findings)
        self._edges = edges
        self._http_asks = 0
        self.token = ""

    @property
    def asks(self) -> int:
        return super().asks + self._http_asks

    async def go_on(self, stop: asyncio.Event) -> None:
        """Tell and ask until it is to stop."""
        while not stop.is_set():
            seq = await self._tell(len(self.seqs) + 1)
            self.seqs.append(seq)
            await self._ask(seq)
            await asyncio.sleep(PAUSE_S)

    async def _call(self, op: str, body: dict[str, Any], **headers: str) -> Any:
        envelope = {"version": "11.2", "modelname": "-", "context": ["c"]}
        headers["Authorization"] = f"Bearer {self.token}"
        _, answer = await self._edges.until_known("POST", f"/{op}", envelope | body, **headers)
        assert answer["result"] == "ok", answer
        return answer

    async def _tell(self, number: int) -> int:
        told = {"componentid": "x", "evidence": {"evidence_type": "explicit", "value": number}}
        answer = await self._call("tell", told, Idempotency_Key=f"n-{number}", Llum_Settle="1")
        return int(answer["seq"])

    async def _ask(self, min_seq: int) -> None:
        """See that the answer is the last number: nobody else tells."""
        wanted = {"view": ["x"], "resolver": {"evidence_filter": "last1"}}
        answer = await self._call("ask", wanted, Llum_Min_Seq=str(min_seq))
        self._http_asks += 1
        [component] = answer["val"]
        if component["value"] != self.acknowledged:
            self._findings.stale.append(f"{self.user} was {component['value']} by HTTP after {self.acknowledged}")


class PreferencesWriter:
    """Puts a setting again and again under ids, and gets it; and posts some, whose keys are to stay good."""

    kind = "preferences put or posted"

    def __init__(self, key: str, bus: Bus, requests: Requests, findings: Findings, edges: Edges) -> None:
        self.key = key
        self.asks = 0
        self._put = 0
        self._posted: dict[str, int] = {}
        """By key: the setting."""
        self._last_seq = 0
        self._bus = bus
        self._requests = requests
        self._findings = findings
        self._edges = edges

    @property
    def acknowledged(self) -> int:
        return self._put + len(self._posted)

    async def go_on(self, stop: asyncio.Event) -> None:
        """Put and get until it is to stop."""
        while not stop.is_set():
            number = self._put + 1
            path, key = f"/preferences/{self.key}", f"put-{number}"
            headers, _ = await self._edges.until_known("PUT", path, _body_of(number), Idempotency_Key=key)
            self._put, self._last_seq = number, int(headers["Llum-Seq"])
            await self._get(self.key, number, self._last_seq)
            if number % POST_EVERY == 0:
                _, posted = await self._edges.until_known("POST", "/preferences", _body_of(number))
                self._posted[posted["gpiiKey"]] = number
            await asyncio.sleep(PAUSE_S)

    async def _get(self, key: str, wanted: int, min_seq: int = 0) -> None:
        _, got = await self._edges.until_known("GET", f"/preferences/{key}", Llum_Min_Seq=str(min_seq))
        self.asks += 1
        if got != _body_of(wanted):
            self._findings.stale.append(f"{key} was {got}, wanted {wanted} up to {min_seq}")

    async def check(self) -> None:
        """See that each number was set once, in order, and that all that was posted is there."""
        user = await PreferenceKeys(self._bus).safe_user(self.key)
        context = ["Preferences", "flat", "gpii-default"]
        numbers = Numbers(self._requests, user, PREFERENCES_APP, context, TERM)
        await numbers.check(list(range(1, self._put + 1)), self._last_seq, self._findings)
        for key, number in self._posted.items():
            await self._get(key, number)


def _body_of(number: int) -> dict[str, Any]:
    return {"contexts": {"gpii-default": {"preferences": {TERM: number}}}}
