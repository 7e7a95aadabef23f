"""The endpoints that programs speak to."""

from typing import Any, Final

from edge_http.oauth import addresses
from edge_http.openapi.answers import found, of_endpoint, page, refused, sent_on
from edge_http.openapi.describing import FORM, JSON, DescribedEndpoint, JsonSchema, StatusAnswer, members, text

_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_URI: Final = {"type": "string", "examples": ["https://log.example/cb"]}

_CLIENT: Final[dict[str, JsonSchema]] = {
    "client_id": text("Which client asks; may be in Basic credentials instead.", "food"),
    "client_secret": text("Its secret, if it has one; may be in Basic credentials instead."),
}

_TOKEN_FORM: Final = members(
    {"grant_type": text("What is given for tokens.", "refresh_token")},
    {
        **_CLIENT,
        "code": text("The code."),
        "redirect_uri": text("As it was when the person was asked."),
        "code_verifier": text("What the challenge was made of (PKCE)."),
        "refresh_token": text("The refresh token.", "llumr_x"),
        "device_code": text("The code of the device."),
        "resource": text("For which server the token is to be (RFC 8707)."),
    },
)
_TOKENS: Final = members(
    {
        "access_token": text("Shown as a bearer token, and on the bus."),
        "token_type": {"const": "Bearer"},
        "expires_in": {"type": "integer"},
        "refresh_token": text("Good once."),
    },
    {"scope": text("What is granted now."), "authorization_details": {"type": "array", "items": {"type": "object"}}},
)
_A_TOKEN: Final = members({"token": text("The token.", "llum_x")}, {**_CLIENT, "token_type_hint": text("Ignored.")})
_SERVER: Final = members(
    {"issuer": {"type": "string"}, "grant_types_supported": _TEXTS, "code_challenge_methods_supported": _TEXTS}
)
_RESOURCE: Final = members({"resource": {"type": "string"}, "authorization_servers": _TEXTS})
_METADATA: Final[dict[str, JsonSchema]] = {
    "client_name": text("As people read it.", "Food log"),
    "client_uri": _URI,
    "redirect_uris": {"type": "array", "items": _URI},
    "token_endpoint_auth_method": text("How it shows which client it is.", "none"),
    "grant_types": _TEXTS | {"examples": [["authorization_code"]]},
    "response_types": _TEXTS | {"examples": [["code"]]},
}
_REGISTERED: Final = members(
    {"client_id": {"type": "string"}, "client_id_issued_at": {"type": "integer"}, "client_name": {"type": "string"}},
    {"client_secret": {"type": "string"}, "client_secret_expires_at": {"const": 0}},
)
_DEVICE: Final = members(
    {
        "device_code": {"type": "string"},
        "user_code": {"type": "string"},
        "verification_uri": {"type": "string"},
        "expires_in": {"type": "integer"},
        "interval": {"type": "integer"},
    }
)
_WISHES: Final[dict[str, JsonSchema]] = {
    "scope": text("What is asked for, in short.", "ask:Personal"),
    "authorization_details": text("The same as slices, in JSON (RFC 9396)."),
    "resource": text("For which server the token is to be."),
}
_ASKED: Final[dict[str, JsonSchema]] = {
    "response_type": text("Always `code`.", "code"),
    "client_id": text("Which client asks.", "food"),
    "redirect_uri": text("Where the browser comes back to.", "https://log.example/cb"),
    "state": text("Comes back as it is."),
    "code_challenge": text("Of S256.", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    "code_challenge_method": text("Always `S256`.", "S256"),
    **_WISHES,
}


def _endpoint(path: str, summary: str, form: JsonSchema, answer: StatusAnswer, *errors: int) -> DescribedEndpoint:
    return DescribedEndpoint(
        "POST", path, summary, {200: answer, **of_endpoint(400, 401, 413, 429, *errors)}, body={FORM: form}
    )


def _document(path: str, summary: str, schema: Any) -> DescribedEndpoint:
    return DescribedEndpoint("GET", path, summary, {200: found("The document.", schema)})


OAUTH: Final = (
    _document(addresses.SERVER_METADATA, "What the authorization server is (RFC 8414).", _SERVER),
    _document(addresses.RESOURCE_METADATA, "Who gives tokens for this llum (RFC 9728).", _RESOURCE),
    *(
        _endpoint(path, "Gives tokens for a code or a refresh token.", _TOKEN_FORM, found("The tokens.", _TOKENS))
        for path in (addresses.TOKEN, addresses.REQUEST_TOKEN)
    ),
    _endpoint(
        addresses.ACCESS_TOKEN,
        "Takes a person's password from a client that was there before llum. Off by default.",
        members(
            {"grant_type": text("Always `password`.", "password")},
            {**_CLIENT, "username": text("Whose.", "alice"), "password": text("The password.")},
        ),
        found("The tokens.", _TOKENS),
    ),
    _endpoint(addresses.REVOKE, "Ends a token (RFC 7009).", _A_TOKEN, found("It is good no more.", {"type": "object"})),
    _endpoint(
        addresses.INTROSPECT,
        "Tells a resource server about a token (RFC 7662).",
        _A_TOKEN,
        found("Whether it is good, and whose.", members({"active": {"type": "boolean"}})),
    ),
    _endpoint(
        addresses.DEVICE_AUTHORIZATION,
        "Begins to sign a program in by a short code (RFC 8628).",
        members({}, {**_CLIENT, **_WISHES}),
        found("The codes.", _DEVICE),
    ),
    DescribedEndpoint(
        "POST",
        addresses.REGISTER,
        "Makes a client of a program (RFC 7591).",
        {201: found("The client.", _REGISTERED), **of_endpoint(400, 413, 422, 429)},
        body={JSON: members({}, _METADATA)},
    ),
    DescribedEndpoint(
        "GET",
        addresses.AUTHORIZE,
        "Takes what a client asks for, and leads the person to the page of consent.",
        {
            303: sent_on("To the page of consent, or back to the client with what is wrong."),
            200: page("A page that leads on."),
            **refused(400, 404, 413, 429),
        },
        query=_ASKED,
    ),
)
