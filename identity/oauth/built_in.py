"""Clients that every installation has."""

from collections.abc import Mapping
from typing import Final

from identity.oauth.client import OAuthClient

COMMAND_LINE: Final = "llum-cli"
"""The command line of people who are not the operator. It may ask to be an owner's app, as it is the person's own tool;
the person is warned, proves once more who they are, and decides."""

BUILT_IN: Final[Mapping[str, OAuthClient]] = {
    COMMAND_LINE: OAuthClient(
        id=COMMAND_LINE,
        name="llum command line",
        redirect_uris=["http://127.0.0.1/callback"],
        may_own=True,
        description="What is typed as llum on a computer of yours.",
    )
}
"""By id. A client of the same id that an administrator makes takes its place."""
