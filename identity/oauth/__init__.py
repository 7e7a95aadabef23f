"""The authorization server: which programs of others may ask for a slice of a person's model, and what they are given.

client.py          a client: what an administrator, or the client itself, has said of it
redirects.py       the addresses that a browser may be sent back to
icons.py           pictures of clients, told by their bytes
resembling.py      clients that people would take for others
built_in.py        clients that every installation has: the command line
clients.py         all clients of the installation, in their bucket
codes.py           codes: good for a minute, and once
refresh_tokens.py  the form of refresh tokens, and how one follows from another
judging.py         what a refresh token means that is presented
families.py        what comes from one sign-in of an app, and ends together
devices.py         sign-ins by a short code, for programs without a browser
issuing.py         what pages and endpoints issue codes and tokens through

Nothing is decided here about what an app may do: that stands in the model, and a token only says who speaks. Every
change of state is one write that at most one of many makes: a code is used once, a refresh token has one successor.
"""
