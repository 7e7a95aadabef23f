"""The HTTP edge: parses, sends on the bus, renders. No decision about a model is made here.

app.py     the application: faces, health and the middleware, wired to the bus
keys.py    what handlers find in the application

http/      HTTP itself: bodies, responses, errors, health
auth/      takes credentials off the request
personis/  the face of the original Personis server
"""
