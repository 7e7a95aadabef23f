"""A table and an endpoint. `plain DSN`: `POST /tell` inserts a row, `POST /ask` reads the latest value.

It believes whoever speaks: who is told about is in the body. A tell is answered when it is committed and synced.
"""

import sys
from typing import Any, Final

import msgspec
from aiohttp import web

from bench.peers.serving import Statements, answer, serve
from bench.programs.loop import run

SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS evidence (
        person text NOT NULL,
        component text NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        value text NOT NULL,
        told_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (person, component, id)
    );
"""
"""One index, and the right one: beside another on the id alone, PostgreSQL may look for the latest value by that,
through all that was told about others since."""

TELL: Final = "INSERT INTO evidence (person, component, value) VALUES ($1, $2, $3) RETURNING id"
ASK: Final = "SELECT value FROM evidence WHERE person = $1 AND component = $2 ORDER BY id DESC LIMIT 1"


class AskBody(msgspec.Struct):
    person: str
    component: str


class TellBody(AskBody):
    value: Any


async def main(dsn: str) -> None:
    """Serve until terminated."""
    told, asked = msgspec.json.Decoder(TellBody), msgspec.json.Decoder(AskBody)

    async def tell(request: web.Request) -> web.Response:
        call = told.decode(await request.read())
        row = await statements.row(0, call.person, call.component, msgspec.json.encode(call.value).decode())
        return answer(b'{"result":"ok","id":%d}' % row["id"])

    async def ask(request: web.Request) -> web.Response:
        call = asked.decode(await request.read())
        row = await statements.row(1, call.person, call.component)
        return answer(b'{"result":"ok","value":%b}' % (row["value"].encode() if row else b"null"))

    async with Statements.opened(dsn, SCHEMA, TELL, ASK) as statements:
        await serve(tell, ask)


if __name__ == "__main__":
    run(main(*sys.argv[1:]))
