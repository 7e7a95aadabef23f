"""What other programs may use of llum. `llum` is the only name that they import; other modules may change any day.

    from llum import Client, Refusal          for programs with an event loop
    from llum import SyncClient, Refusal      the same, waiting: for scripts and threads

clients      Client, SyncClient, ExpiringToken
sign-in      sign_in, SignedIn, SignInPrompt, Slice: for programs of people who are not the operator
errors       LlumError, and below it Refusal (mend the message), Transient (try again), SetupError (mend the machine);
             Code has their stable codes
told         commands (Tell, MakeContext …), NewEvidence, and what is made: ComponentDefinition …
asked        queries (Ask …), EvidenceFilter, and the replies: ComponentAnswer, Evidence, Explanation …
resolvers    Resolver, Resolved, Argument: for plug-ins
sensors      Spool, Publisher, Entry, bus_at: for what must lose nothing while llum is away

`import llum` itself costs nothing: what is behind a name is imported when a name is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llum.public import *  # noqa: F403
    from llum.public import __all__ as __all__


def __getattr__(name: str) -> Any:
    """Look among the public names. `__all__` is one of them, so that `from llum import *` works."""
    public = importlib.import_module("llum.public") if name == "__all__" or not name.startswith("_") else None
    if public is None or not (name == "__all__" or name in public.__all__):
        raise AttributeError(f"module 'llum' has no attribute {name!r}")
    return getattr(public, name)


def __dir__() -> list[str]:
    return sorted({*importlib.import_module("llum.public").__all__, *globals()})
