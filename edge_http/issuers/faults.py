"""What people read when signing in elsewhere did not work."""

from typing import Final

from edge_http.sessions.explaining import Explained
from schemas.errors import Code

SIGNING_IN_ELSEWHERE: Final = Explained(
    "Signing in elsewhere",
    {
        Code.NO_SUCH_ISSUER: "Nobody signs in there",
        Code.ISSUER_UNAVAILABLE: "They do not answer",
        Code.ISSUER_REFUSED: "You were not let in there",
        Code.NOT_PROVEN: "That did not work",
    },
    "/sign-in",
    "To the sign-in page",
)
