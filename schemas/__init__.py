"""Every word on the wire: commands, queries, outcomes, replies and error codes, as msgspec structs.

Nothing here decides anything. A struct says which fields there are, of which shape and unit; what they
mean for a user model is said in `model/`. `docs/reference/messages.md` is generated from this package.
"""
