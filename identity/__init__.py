"""Who is this: decides from credentials, whatever face they came through. What an app may do, the model says.

principal.py       who speaks: an app, for a person, let in by what
authenticator.py   from a token or a password to a principal
registrations.py   which registration of an app holds
tokens.py          bearer tokens: issued, looked up, listed, revoked
app_passwords.py   passwords of simple devices; hashing.py, throttle.py
sessions/          sessions of people's browsers
oauth/             the authorization server: programs of others, and what they are given
temporary/         whoever tries llum without an account
states.py          who comes to a page: sixteen states, in one table
credentials.py     tokens and passwords in one list, for people
apps.py            registering and removing an app, with its credentials
names.py           for whom credentials may be issued
sealed.py          what is kept for minutes under a secret that only the other side has
signing.py         the secret of the installation, and what is signed with it
"""
