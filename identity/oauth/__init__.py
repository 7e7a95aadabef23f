"""The authorization server: which programs of others may ask for a slice of a person's model, and what they are given.

client.py      a client: what an administrator, or the client itself, has said of it
redirects.py   the addresses that a browser may be sent back to
icons.py       pictures of clients, told by their bytes
clients.py     all clients of the installation, in their bucket
"""
