"""A plain HTTP client: the standard library and JSON, as a script would have it."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from tests.waiting import DEADLINE_S

ANSWER_S = 60.0
"""Seconds to wait for one answer: an edge that waits for an outcome gives up before that."""

PAUSE_S = 0.05


class PlainHttp:
    """One keep-alive connection with a bearer token. Not for use by several threads."""

    def __init__(self, url: str, token: str) -> None:
        self._place = urlsplit(url).netloc
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def call(self, op: str, body: bytes | dict[str, Any], **headers: str) -> tuple[int, Any]:
        """Post once; give the status and the JSON of the answer. Raises what the network does."""
        data = body if isinstance(body, bytes) else json.dumps(body | {"version": "11.2"}).encode()
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._place, timeout=ANSWER_S)
        try:
            self._connection.request("POST", f"/{op}", data, sent)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except BaseException:
            self.close()
            raise

    def call_until_known(self, op: str, body: dict[str, Any], command_id: str) -> tuple[int, Any]:
        """Post the same command until somebody says what became of it."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                status, answer = self.call(op, body, Idempotency_Key=command_id)
                if status != 503:
                    return status, answer
                problem: object = answer
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = error
            assert time.monotonic() < deadline, f"{op} {command_id} was not answered in {DEADLINE_S:g} s: {problem!r}"
            time.sleep(PAUSE_S)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def tell_body(context: list[str], component: str, value: Any, **evidence: Any) -> dict[str, Any]:
    told = {"evidence_type": "explicit", "value": value, **evidence}
    return {"modelname": "-", "context": context, "componentid": component, "evidence": told}
