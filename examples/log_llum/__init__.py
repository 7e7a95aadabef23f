"""log-llum: a web app on which a person logs things by one tap each, and an example of an app of somebody else.

It knows of llum what anybody may know: OAuth 2 and the Personis protocol, over HTTP. It imports nothing of llum.

__main__.py      the command line
config.py        how it is configured
things.py        what can be logged, and where in a person's model that goes
signing_in.py    OAuth 2: codes with PKCE, refreshing, signing out
access.py        calls to a person's model, with their tokens
logbook.py       the place in the model: made, written to, read
sessions.py      who has signed in here, by a signed cookie
counting.py      counts by day, and where the bars of the chart are
answers.py       pages and redirects, with their headers
pages.py         what happens at each address
app.py           all of it together
"""
