"""asker: log what you have, and see it as bars. An example of an app that tells and asks.

python asker.py bob Diary              # bars of what is in bob's Diary
python asker.py bob Diary --log tea    # log a cup of tea first

ASKER_TOKEN is the token that lets it in: llum admin token bob --app asker
"""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Sequence

from llum import Ask, Client, LlumError, raised_from

APP = "asker"
BLOCK = "█"

Bar = tuple[str, float]
"""What was logged, and how much."""


def bars(items: Sequence[Bar], width: int) -> list[str]:
    """Draw a line for each item; the longest fills the width. An item that was logged at all gets a block."""
    labels = max((len(label) for label, _ in items), default=0)
    numbers = max((len(f"{amount:g}") for _, amount in items), default=0)
    longest = max((amount for _, amount in items), default=0)
    room = max(width - labels - numbers - 4, 1)
    return [
        f"{label:<{labels}}  {amount:>{numbers}g}  {BLOCK * _length(amount, longest, room)}".rstrip()
        for label, amount in items
    ]


def _length(amount: float, longest: float, room: int) -> int:
    return max(round(room * amount / longest), 1) if amount > 0 else 0


async def ask(llum: Client, user: str, context: str, resolver: str) -> list[Bar]:
    """Ask for all that is in a context. A resolver such as `count` makes a number of a component's evidence."""
    path = [segment for segment in context.split("/") if segment]
    reply = await llum.ask_all(user, Ask(context=path, resolver=resolver))
    if reply.failures and not reply.components:
        raise raised_from(reply.failures[0].error)
    return [(one.path[-1], one.value) for one in reply.components if isinstance(one.value, int | float)]


async def run(options: argparse.Namespace, token: str) -> None:
    """Log what is to be logged, and draw."""
    async with Client.connect(app=APP, token=token) as llum:
        for item in options.log:
            await llum.tell(options.user, f"{options.context}/{item}", 1)
        items = await ask(llum, options.user, options.context, options.resolver)
    print("\n".join(bars(items, shutil.get_terminal_size().columns)))


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Log what you have, and see it as bars.")
    parser.add_argument("user", help="whose model")
    parser.add_argument("context", help="where the components are, such as Diary")
    parser.add_argument("--log", action="append", default=[], metavar="ITEM", help="log one of a component first")
    parser.add_argument("--resolver", default="count", help="what makes a number of evidence: count, sum, mean")
    options = parser.parse_args()
    token = os.environ.get("ASKER_TOKEN")
    if not token:
        print(f"asker: set ASKER_TOKEN to what `llum admin token {options.user} --app asker` prints", file=sys.stderr)
        return 1
    try:
        asyncio.run(run(options, token))
    except LlumError as error:
        print(f"asker: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
