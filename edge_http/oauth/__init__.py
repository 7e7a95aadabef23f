"""The authorization server over HTTP: how programs of others get tokens for a slice of somebody's model.

addresses.py   where its endpoints are
registration.py  /register: clients that register themselves
metadata.py    what it says of itself (RFC 8414, 9728)
parameters.py  reads what is posted: each parameter once, in the characters it may have
answers.py     errors and tokens, in the form of RFC 6749
validating.py  Authlib's rules, applied to what was read before
client_authentication.py  which client asks
guard.py       how often somebody may ask in vain
granted.py     what a person has granted an app, as it stands now
token.py       codes and refresh tokens become tokens
revocation.py  a client gives tokens back
introspection.py  a resource server asks about a token
routes.py      all of it, added to the application
"""
