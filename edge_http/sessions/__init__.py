"""Sessions of people's browsers, as faces see them: who is signed in here, and how one is.

current.py      the session of a request; who must have one, and who must have proven lately who they are
sensitive.py    what only somebody may do who has done that
forms.py        forms of llum's own pages, and nobody else's
signing_in.py   from a proven identity to a session
arriving.py     in which of the sixteen states a request for a page is
routes.py       who am I, and the way out; own_sessions.py: the list of one's sessions
trying.py       a visitor becomes a temporary user; trial_bounds.py: how much one may send; joining.py: the end of that
elsewhere.py    the outside issuers at which one may sign in, as pages offer them
places.py       where a session is from, in words
"""
