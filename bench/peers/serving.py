"""What the endpoints of the peers have in common: connections with prepared statements, a server on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg
from aiohttp import web

from bench.programs import bare_server

CONNECTIONS: Final = 16
"""Connections to PostgreSQL. With 8 or 32 a call costs as much."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Statements:
    """Statements that are prepared once on each of the connections."""

    def __init__(self, connections: Sequence[Any], queries: Sequence[str]) -> None:
        self._connections = connections
        self._queries = queries
        self._free: asyncio.LifoQueue[Sequence[Any]] = asyncio.LifoQueue()

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, dsn: str, schema: str, *queries: str) -> AsyncIterator["Statements"]:
        """Make the tables, and prepare the queries."""
        connections = [await asyncpg.connect(dsn) for _ in range(CONNECTIONS)]
        await connections[0].execute(schema)
        statements = cls(connections, queries)
        for connection in connections:
            statements._free.put_nowait([await connection.prepare(query) for query in queries])
        try:
            yield statements
        finally:
            await asyncio.gather(*(connection.close() for connection in connections))

    async def row(self, number: int, *arguments: object) -> Any:
        """Run the query of that number on the next free connection, in a transaction of its own; give its first row."""
        prepared = await self._free.get()
        try:
            return await prepared[number].fetchrow(*arguments)
        finally:
            self._free.put_nowait(prepared)


async def serve(tell: Handler, ask: Handler) -> None:
    """Serve until terminated; the ready line says where."""
    app = web.Application()
    app.router.add_post("/tell", tell)
    app.router.add_post("/ask", ask)
    await bare_server.serve(app)


def answer(content: bytes, status: int = 200) -> web.Response:
    return web.Response(body=content, status=status, content_type="application/json")
