"""Who may sign up: the holder of the first link, whoever is invited, or everybody."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, get_args

from identity.accounts.account import Account, Identifier
from identity.accounts.links import Link, Links, Purpose
from identity.accounts.store import AccountChange, Accounts
from schemas.apps import OWNER_APP
from schemas.errors import Code, LlumError, Refusal

SignUp = Literal["open", "invited", "closed"]
"""`open`: everybody may sign up. `invited`: who has a link of an administrator's or the operator's. `closed`: nobody
but who claims a model that the operator has made. Before the first account it is the holder of the first link alone."""

SIGN_UPS: tuple[SignUp, ...] = get_args(SignUp)

_GOOD: dict[SignUp, tuple[Purpose, ...]] = {
    "open": ("first", "invite", "claim"),
    "invited": ("first", "invite", "claim"),
    "closed": ("first", "claim"),
}


class Admission(NamedTuple):
    """That somebody may sign up, and as whom."""

    link: Link | None = None

    @property
    def admin(self) -> bool:
        """They become administrator."""
        return self.link is not None and self.link.purpose == "first"

    @property
    def user(self) -> str | None:
        """The name that they get, with the model that is there; None: they choose one."""
        return self.link.user if self.link is not None else None


class Joining:
    """Admits people, and makes their accounts. Its methods raise `Transient`, `ApiError`."""

    def __init__(self, accounts: Accounts, links: Links, policy: SignUp) -> None:
        self._accounts = accounts
        self._links = links
        self._policy = policy
        self._is_founded = False

    async def admission(self, token: str = "") -> Admission:
        """Tell who may sign up, with a link's token or without. Raises `permission_denied` that says what to do."""
        if token:
            link = await self._links.find(token)
            if link is None or link.purpose not in _GOOD[self._policy]:
                raise _no_link()
            return Admission(link)
        if not await self._founded():
            hint = "`llum up` has printed it; `llum admin account link` prints another one."
            message = "This llum has no account yet. Whoever holds its first link makes the first one."
            raise Refusal(Code.PERMISSION_DENIED, message, None, hint)
        if self._policy != "open":
            message = {
                "invited": "People join this llum by invitation.",
                "closed": "This llum takes no new accounts.",
            }[self._policy]
            raise Refusal(Code.PERMISSION_DENIED, message, None, "Ask whoever runs it.")
        return Admission()

    async def register(
        self,
        admission: Admission,
        user: str,
        identifiers: Iterable[Identifier | tuple[str, str, str]] = (),
        profile: Mapping[str, str] | None = None,
        *,
        source: str = OWNER_APP,
        change: AccountChange = lambda account: account,
    ) -> Account:
        """Make an account as `Accounts.register` does, and use the link up: of many who have one, one gets in.

        Raises also `permission_denied`: the link has been used meanwhile.
        """
        link = admission.link
        if link is not None and not await self._links.take(link):
            raise _no_link()
        try:
            return await self._accounts.register(
                admission.user or user,
                identifiers,
                profile,
                admission.admin,
                source=source,
                existing=admission.user is not None,
                change=change,
            )
        except LlumError:
            if link is not None:
                await self._links.put_back(link)
            raise

    async def _founded(self) -> bool:
        self._is_founded = self._is_founded or await self._links.is_founded()
        return self._is_founded


def _no_link() -> Refusal:
    message = "This link has been used, or its time is over."
    return Refusal(Code.PERMISSION_DENIED, message, None, "Ask whoever gave it to you for another one.")
