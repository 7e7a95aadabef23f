"""What a person has to do to sign a program in: told on stderr, or shown by the program in its own way."""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import NamedTuple


class SignInPrompt(NamedTuple):
    """What to show to the person."""

    url: str
    """The page that they open."""
    code: str = ""
    """The short code that they type there, or compare with what it shows; empty: the browser is on this machine."""
    complete_url: str = ""
    """The page with the code in its address, for a QR code; may be empty."""


ShowPrompt = Callable[[SignInPrompt], None]


def print_prompt(prompt: SignInPrompt) -> None:
    """Tell the person on stderr. Addresses stand on lines of their own, so that they can be copied whole."""
    print("\n".join(lines_of(prompt)), file=sys.stderr, flush=True)


def lines_of(prompt: SignInPrompt) -> list[str]:
    """Write what the person has to do."""
    if prompt.code:
        return ["To sign in, open on any device:", "", f"  {prompt.url}", "", "and type this code there:", "",
                f"  {prompt.code}", "", "Waiting for you to decide there …"]  # fmt: skip
    return ["To sign in, open on this machine:", "", f"  {prompt.url}", "",
            "Waiting for you to decide there …"]  # fmt: skip


def has_browser() -> bool:
    """Tell whether the person most likely sees a browser of this machine: not over ssh, nor without a display."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"))


async def open_browser(url: str) -> None:
    """Open a page in the person's browser if that can be done. The link has been shown as well."""
    import webbrowser

    if has_browser():
        await asyncio.to_thread(webbrowser.open, url)
