"""What people read when an app cannot be let in."""

from typing import Final

from edge_http.sessions.explaining import Explained
from schemas.errors import Code

LETTING_IN: Final = Explained(
    "Letting an app in",
    {
        Code.NO_SUCH_CLIENT: "llum does not know this app",
        Code.BAD_FIELD: "llum does not go on with this",
        Code.NO_SUCH_QUESTION: "There is nothing to decide any more",
        Code.PERMISSION_DENIED: "The app may not ask for this",
        Code.EXPIRED_TOKEN: "The code has expired",
        Code.ID_REUSED: "You have decided already",
        Code.NO_SUCH_MODEL: "There is no model of you yet",
    },
    "/",
    "To your model",
)
