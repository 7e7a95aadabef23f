"""The pages of clients, and the original's requests for them."""

from typing import Final

from edge_http.openapi.answers import of_form, page, plain, refused, sent_on
from edge_http.openapi.describing import (
    FORM,
    JSON,
    UPLOAD,
    DescribedEndpoint,
    JsonSchema,
    StatusAnswer,
    members,
    text,
)

_PICTURES: Final = ("image/png", "image/jpeg", "image/webp")

_ID: Final[dict[str, JsonSchema]] = {"client_id": text("Which client.", "food")}
_TICKED: Final = {"const": "1"}
_CLIENT: Final[dict[str, JsonSchema]] = {
    "name": text("As people read it.", "Food log"),
    "home": text("Its own page."),
    "description": text("What it does."),
    "redirect_uris": text("Addresses to come back to, with blanks between them.", "https://log.example/cb"),
    "origins": text("Where its web pages come from, with blanks between them."),
    "audience": text("Its identifier, if it is a resource server."),
    "confidential": _TICKED,
    "legacy": _TICKED,
    "may_own": _TICKED,
}
_ORIGINAL: Final = members(
    {"id": text("What is to be done.", "food|friendly_name"), "value": text("The value.", "Food log")}
)
_LISTED: Final = {"type": "object", "additionalProperties": members(dict.fromkeys(("client_id", "secret"), text("")))}


def _form(path: str, summary: str, schema: JsonSchema, *errors: int, kind: str = FORM) -> DescribedEndpoint:
    answers = {200: page("The page, with what was done."), **of_form(404, *errors)}
    return DescribedEndpoint("POST", path, summary, answers, body={kind: schema})


CLIENTS: Final = (
    DescribedEndpoint(
        "GET",
        "/list_clients",
        "Lists the clients, for administrators.",
        {200: page("The list."), **refused(401, 403)},
        query={"edit": text("Whose form is open.", "food"), "add": text("Whether an empty form is open.")},
    ),
    _form("/list_clients/add", "Makes a client.", members({**_ID, "name": _CLIENT["name"]}, _CLIENT), 409),
    _form("/list_clients/change", "Changes a client.", members({**_ID, "name": _CLIENT["name"]}, _CLIENT), 409),
    _form("/list_clients/secret", "Gives a client a new secret.", members(_ID)),
    _form("/list_clients/delete", "Deletes a client.", members(_ID)),
    _form(
        "/list_clients/icon",
        "Sets the icon of a client.",
        members(_ID, {"icon": {"type": "string", "format": "binary"}, "remove": _TICKED}),
        kind=UPLOAD,
    ),
    DescribedEndpoint(
        "GET",
        "/client-icon/{client_id}",
        "Shows the icon of a client.",
        {200: StatusAnswer("The icon.", {kind: {"type": "string"} for kind in _PICTURES}), **refused(404)},
    ),
    DescribedEndpoint(
        "GET",
        "/list_clients_json",
        "Lists the clients as the original does.",
        {200: StatusAnswer("All, by their ids.", {JSON: _LISTED}), **refused(401, 403)},
    ),
    *(
        DescribedEndpoint(
            "POST",
            path,
            "Adds, removes or changes a client as the original does.",
            {200: plain("What is there now."), 303: sent_on("A browser, to the page."), **of_form(404, 409)},
            body={FORM: _ORIGINAL},
        )
        for path in ("/list_clients_put", "/list_clients_save")
    ),
)
