"""Who speaks: which app, for which person, let in by what."""

from typing import Literal

import msgspec


class Principal(msgspec.Struct, frozen=True, gc=False):
    """An app that has shown who it is. What it may do is for the model to say."""

    user: str
    """The person whose model it speaks about."""
    app: str
    registration: int
    """The sequence of the command that registered the app: its credentials are good for that registration alone.

    0: a session is the person's own, whatever registration their app has.
    """
    how: Literal["token", "password", "session"]
    sign_in: str = ""
    """Names the sign-in that the token comes from; its inbox on the bus has this name. Empty: there is none."""
    credential: str = ""
    """Names what was shown, as lists of credentials do. It opens nothing."""
    expires: float | None = None
    """Until when that is good, seconds since 1970; None: for as long as the registration."""
    authenticated: float = 0.0
    """When the person behind a session proved who they are, seconds since 1970; 0: never, or there is no session."""
    audience: str = ""
    """For whom its token is meant; "": llum itself. llum takes no other."""
    oauth: bool = False
    """The token is one that an app got by OAuth 2, and the app is none of the old ones: it is told what it lacks by
    statuses."""

    @property
    def is_temporary(self) -> bool:
        """Tell whether it is a temporary user: somebody who has a session, and has never proven who they are."""
        return self.how == "session" and not self.authenticated
