"""Signing in at an OpenID Connect issuer, with llum as the relying party.

configured.py      which issuers there are, as the operator has set them
urls.py            which addresses of an issuer may be asked
fetching.py        asking an issuer over HTTP, within bounds of time and size
metadata.py        what an issuer says of itself, checked
signing_keys.py    the keys that it signs with, and their rotation
id_tokens.py       what it says of a person, checked
token_requests.py  a code for tokens
transactions.py    what is remembered while a person is at the issuer
newcomers.py       who has come back and has no account yet
relying_party.py   one issuer's conversation from beginning to end
profiles.py        what of the claims becomes part of a model
parties.py         all issuers of an edge
failures.py        what goes wrong with an issuer

Whoever only needs to know which issuers there are imports `configured` alone: the others bring cryptography.
"""
