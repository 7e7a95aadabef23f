"""What goes wrong with an issuer. The reasons are for the operator's log; people get the same few words.

No reason holds a token, a code, a secret, or anything that an issuer says of a person.
"""


class IssuerAway(Exception):  # noqa: N818 - a state of the issuer, as `Transient` is
    """The issuer does not answer, or does not answer as OpenID Connect says. Later it may."""


class IssuerRefuses(Exception):  # noqa: N818 - what the issuer does
    """The issuer answered that it does not let the person in."""


class UnprovenError(Exception):
    """What came back proves nothing: it may have been made by somebody else."""


class UnprovenTimeError(UnprovenError):
    """It proves who the person is, but not that they have shown it to the issuer lately, which was asked for."""
