"""The OpenAPI document: what the endpoints of OAuth 2, consent, apps, clients, preferences take and give.

describing.py  the words of a description
answers.py     answers that many endpoints give
oauth.py       the endpoints of programs
pages.py       the pages of consent, apps and devices
clients.py     the pages of clients
preferences.py the preferences service
document.py    all of it as one document
routes.py      the route that serves it
"""
