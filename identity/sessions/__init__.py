"""Sessions of people's browsers: who has signed in, how and when. `edge_http/sessions` has their cookies.

session.py   what is kept of a session
store.py     the sessions of an installation, and what a process remembers of them
csrf.py      what shows that a request comes from a page that belongs to the session
"""
