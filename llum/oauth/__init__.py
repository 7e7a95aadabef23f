"""Signing in to an llum as a program of a person, and staying signed in (OAuth 2). The SDK and the command line use it.

servers.py     which llum is at an address, and where its endpoints are
asking.py      asks them, and makes errors of what they refuse
wishes.py      what a program would like to have, and what it was granted
by_browser.py  the person decides in a browser on this machine
loopback.py    the address of this machine that the browser comes back to
by_code.py     the person types a short code into a browser elsewhere
prompts.py     what the person is told to do
keeping.py     sign-ins that are kept, in files and in the keyring of the system
keyrings.py    whether there is a keyring that deserves the name
signed_in.py   a sign-in: its token, always a fresh one; its end
http.py        requests over HTTP with its token
signing_in.py  all of it together: `sign_in`

Nothing here is imported before somebody signs in.
"""
