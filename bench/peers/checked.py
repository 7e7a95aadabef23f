"""The endpoint with part of what llum does for a command. `checked DSN LOG_FILE`.

A token says who speaks; a permission whether they may; the component which type its values have; a key that a repeat is
one. Each call writes a line to the log. One statement does it all, in one transaction.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import IO, Any, Final

import asyncpg
import msgspec
from aiohttp import web

from bench.peers.serving import Statements, answer, serve
from bench.programs.loop import run

SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS checked_token (hash bytea PRIMARY KEY, person text NOT NULL, app text NOT NULL);
    CREATE TABLE IF NOT EXISTS checked_permission (
        person text, app text, may_tell boolean NOT NULL, may_ask boolean NOT NULL, PRIMARY KEY (person, app)
    );
    CREATE TABLE IF NOT EXISTS checked_component (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        person text NOT NULL, name text NOT NULL, value_type text NOT NULL, UNIQUE (person, name)
    );
    CREATE TABLE IF NOT EXISTS checked_evidence (
        component bigint NOT NULL REFERENCES checked_component,
        id bigint GENERATED ALWAYS AS IDENTITY,
        app text NOT NULL,
        key text NOT NULL,
        value jsonb NOT NULL,
        told_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (component, id),
        UNIQUE (app, key)
    );
"""

_GRANTED: Final = """
    SELECT component.id, component.value_type, token.app, permission.may_tell, permission.may_ask
    FROM checked_token token JOIN checked_permission permission USING (person, app)
    JOIN checked_component component ON component.person = token.person AND component.name = $2
    WHERE token.hash = $1
"""

TELL: Final = f"""
    WITH granted AS ({_GRANTED}), told AS (
        INSERT INTO checked_evidence (component, app, key, value)
        SELECT id, app, $3, $4::jsonb FROM granted WHERE may_tell AND value_type = jsonb_typeof($4::jsonb)
        ON CONFLICT (app, key) DO NOTHING RETURNING id
    )
    SELECT granted.may_tell AS may, granted.value_type, (SELECT id FROM told) AS id FROM granted
"""  # noqa: S608 - our own words

ASK: Final = f"""
    SELECT granted.may_ask AS may, latest.value FROM ({_GRANTED}) granted LEFT JOIN LATERAL (
        SELECT value FROM checked_evidence WHERE component = granted.id ORDER BY id DESC LIMIT 1
    ) latest ON true
"""  # noqa: S608

REPEATED: Final = (
    "SELECT id FROM checked_evidence WHERE key = $1 AND app = (SELECT app FROM checked_token WHERE hash = $2)"
)

DENIED: Final = b'{"result":"error","error":"not permitted"}'
WRONG_TYPE: Final = b'{"result":"error","error":"wrong type"}'


class CheckedAsk(msgspec.Struct):
    component: str


class CheckedTell(CheckedAsk):
    value: Any


class CheckedLine(msgspec.Struct):
    """What is logged of each call."""

    at: float
    call: str
    component: str
    status: int
    duration_ms: float


class Endpoint:
    """The two calls."""

    def __init__(self, statements: Statements, log: IO[bytes]) -> None:
        self._statements = statements
        self._log = log
        self._told, self._asked = msgspec.json.Decoder(CheckedTell), msgspec.json.Decoder(CheckedAsk)

    async def tell(self, request: web.Request) -> web.Response:
        began, call = time.time(), self._told.decode(await request.read())
        return self._logged("tell", began, call.component, await self._tell(request, call))

    async def ask(self, request: web.Request) -> web.Response:
        began, call = time.time(), self._asked.decode(await request.read())
        row = await self._statements.row(1, _token_hash(request), call.component)
        response = answer(DENIED, 403) if row is None or not row["may"] else answer(_value(row["value"]))
        return self._logged("ask", began, call.component, response)

    async def _tell(self, request: web.Request, call: CheckedTell) -> web.Response:
        who, key = _token_hash(request), request.headers["Idempotency-Key"]
        row = await self._statements.row(0, who, call.component, key, msgspec.json.encode(call.value).decode())
        if row is None or not row["may"]:
            return answer(DENIED, 403)
        if row["id"] is None:
            row = await self._statements.row(2, key, who)
        return answer(WRONG_TYPE, 422) if row is None else answer(b'{"result":"ok","id":%d}' % row["id"])

    def _logged(self, call: str, began: float, component: str, response: web.Response) -> web.Response:
        line = CheckedLine(began, call, component, response.status, (time.time() - began) * 1e3)
        self._log.write(msgspec.json.encode(line) + b"\n")
        return response


async def admit(dsn: str, components: Sequence[str], tokens: Mapping[str, str]) -> None:
    """Let the bearers of these tokens tell and ask the components, of text, of the person of each."""
    connection = await asyncpg.connect(dsn)
    hashes = [(sha256(token.encode()).digest(), person) for person, token in tokens.items()]
    named = [(person, name) for person in tokens for name in components]
    try:
        await connection.executemany("INSERT INTO checked_token VALUES ($1, $2, 'bench')", hashes)
        await connection.executemany(
            "INSERT INTO checked_permission VALUES ($1, 'bench', true, true)", [(person,) for person in tokens]
        )
        insert = "INSERT INTO checked_component (person, name, value_type) VALUES ($1, $2, 'string')"
        await connection.executemany(insert, named)
    finally:
        await connection.close()


async def main(dsn: str, log_file: str) -> None:
    """Serve until terminated."""
    async with Statements.opened(dsn, SCHEMA, TELL, ASK, REPEATED) as statements:
        with open(log_file, "ab", buffering=0) as log:  # noqa: ASYNC230 - a line goes out with each call
            endpoint = Endpoint(statements, log)
            await serve(endpoint.tell, endpoint.ask)


def _value(value: str | None) -> bytes:
    return b'{"result":"ok","value":%b}' % (value or "null").encode()


def _token_hash(request: web.Request) -> bytes:
    return sha256(request.headers["Authorization"].removeprefix("Bearer ").encode()).digest()


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
