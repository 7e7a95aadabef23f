"""The authorization server over HTTP: how programs of others get tokens for a slice of somebody's model.

addresses.py   where its endpoints are
metadata.py    what it says of itself (RFC 8414, 9728)
routes.py      all of it, added to the application
"""
