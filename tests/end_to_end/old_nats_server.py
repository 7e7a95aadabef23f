"""Greets as a nats-server of an older release does, and answers pings. Prints its address."""

import asyncio
import json

INFO = {
    "server_id": "OLD", "server_name": "old", "version": "2.9.25", "proto": 1, "go": "go1.20", "host": "127.0.0.1",
    "port": 0, "headers": True, "max_payload": 8388608, "jetstream": True,
}  # fmt: skip


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"INFO " + json.dumps(INFO).encode() + b"\r\n")
    while line := await reader.readline():
        if line.startswith(b"PING"):
            writer.write(b"PONG\r\n")
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
