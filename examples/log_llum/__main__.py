"""`python -m log_llum`: run log-llum until Ctrl-C."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence

from aiohttp import web

from log_llum.app import make_app
from log_llum.config import DEFAULT_LLUM, DEFAULT_PORT, Config


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="log-llum", description="Log an apple: a web app that writes to llum.")
    said = os.environ.get
    parser.add_argument("--at", default=said("LOG_LLUM_AT", DEFAULT_LLUM), help="where llum is for people")
    parser.add_argument("--host", default=said("LOG_LLUM_HOST", "127.0.0.1"), help="the address to listen on")
    parser.add_argument(
        "--port", type=int, default=int(said("LOG_LLUM_PORT", str(DEFAULT_PORT))), help="the port; 0: any"
    )
    parser.add_argument("--public-url", default=said("LOG_LLUM_PUBLIC_URL", ""), help="where log-llum is for people")
    parser.add_argument("--client-id", default=said("LOG_LLUM_CLIENT_ID", "log-llum"), help="its id at llum")
    parser.epilog = "LOG_LLUM_CLIENT_SECRET is its secret at llum. Each option can be a variable, too: LOG_LLUM_AT ..."
    return parser.parse_args(arguments)


def config_of(options: argparse.Namespace, port: int) -> Config:
    """Make of it how log-llum is configured, listening on a port."""
    return Config(
        llum=options.at.rstrip("/"),
        public_url=(options.public_url or f"http://127.0.0.1:{port}").rstrip("/"),
        client_id=options.client_id,
        client_secret=os.environ.get("LOG_LLUM_CLIENT_SECRET", ""),
    )


def main() -> int:
    """Run it."""
    options = options_of()
    try:
        listening = socket.create_server((options.host, options.port))
    except OSError as error:
        print(f"log-llum: cannot listen on port {options.port}: {error.strerror}. Try --port.", file=sys.stderr)
        return 1
    config = config_of(options, listening.getsockname()[1])
    print(f"log-llum is at {config.public_url}, and writes to the llum at {config.llum}", flush=True)
    web.run_app(make_app(config), sock=listening, print=None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
