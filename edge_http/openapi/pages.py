"""The pages on which people decide what apps may do, as far as programs and tests need to know them."""

from collections.abc import Mapping
from typing import Final

from edge_http.openapi.answers import found, of_form, page, refused, sent_on
from edge_http.openapi.describing import FORM, HTML, JSON, DescribedEndpoint, JsonSchema, StatusAnswer, members, text

_QUESTION: Final = text("Names what the client has asked for.")
_CHOICES: Final = members({"request": _QUESTION})
_APP: Final = {"type": "object"}


def _seen(
    path: str, summary: str, schema: JsonSchema, *errors: int, query: Mapping[str, JsonSchema] | None = None
) -> DescribedEndpoint:
    """Describe a page that programs get as JSON."""
    answer = StatusAnswer("The page, or the same as JSON.", {HTML: {"type": "string"}, JSON: schema})
    return DescribedEndpoint("GET", path, summary, {200: answer, **refused(401, *errors)}, query=query or {})


def _decided(path: str, summary: str) -> DescribedEndpoint:
    answers = {200: page("A page that leads on, or asks again."), 303: sent_on(), **of_form(404, 409, 422, 429)}
    return DescribedEndpoint("POST", path, summary, answers, body={FORM: _CHOICES})


_CHECKED: Final[dict[str, JsonSchema]] = {
    "app": text("Which app.", "food"),
    "verb": text("What it would do.", "ask"),
    "place": text("Where, as a path.", "Personal/firstname"),
    "rules_in": text("Of its rules in whose model."),
}
_VERDICT: Final = members({"allowed": {"type": "boolean"}, "reason": text("Why.")})

PAGES: Final = (
    DescribedEndpoint(
        "GET",
        "/consent",
        "Asks the person what an app may do.",
        {200: page("The page."), 303: sent_on(), **refused(400, 401, 403, 404, 409, 422, 429)},
        query={"request": _QUESTION},
    ),
    _decided("/consent", "Shows what the app would see by other choices."),
    _decided("/allow", "Stores what the person has allowed."),
    _decided("/dissallow", "Stores that the person has refused; as the original spells it."),
    _decided("/disallow", "Stores that the person has refused."),
    DescribedEndpoint("GET", "/login", "Leads to the sign-in page, as in the original.", {303: sent_on()}),
    DescribedEndpoint("GET", "/logged_in", "Leads home, as in the original.", {303: sent_on()}),
    _seen("/list_apps", "Lists the person's apps.", members({"apps": {"type": "array", "items": _APP}})),
    _seen("/list_apps/{app}", "Shows one app: what it may do, and has done.", _APP, 400, 404),
    DescribedEndpoint(
        "GET",
        "/list_apps/{app}/revoke",
        "Says what would end with an app.",
        {200: page("The page."), **refused(400, 401, 404)},
    ),
    DescribedEndpoint(
        "POST",
        "/list_apps_save",
        "Takes something from an app, changes it, or ends a sign-in.",
        {
            200: StatusAnswer("What was done.", {JSON: members({"app": text(""), "done": text("")})}),
            303: sent_on("A browser, to the page of the app."),
            **of_form(404, 409, 422),
        },
        body={FORM: members({"id": text("What is to be done.", "revoke"), "value": text("To which app.", "food")})},
    ),
    _seen("/check", "Says whether an app may do something, and what decides.", _VERDICT, 400, 404, query=_CHECKED),
    DescribedEndpoint(
        "GET",
        "/check.json",
        "Says the same to programs alone.",
        {200: found("The answer.", _VERDICT), **refused(400, 401, 404)},
        query=_CHECKED,
    ),
    DescribedEndpoint(
        "GET",
        "/device",
        "Takes the short code of a device.",
        {200: page("The form."), **refused(400, 401, 404)},
        query={"user_code": text("The code.", "BCDF-GHJK"), "done": text("How it has ended.", "allowed")},
    ),
    *(
        DescribedEndpoint(
            "POST",
            path,
            summary,
            {200: page("The next page."), 303: sent_on(), **of_form(404, 409, 429)},
            body={FORM: members({"user_code": text("The code.", "BCDF-GHJK")}, {"answer": text("`yes`.", "no")})},
        )
        for path, summary in (
            ("/device", "Shows which program asks with a code."),
            ("/device/confirm", "Goes on to the page of consent."),
        )
    ),
)
