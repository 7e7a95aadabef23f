"""The HTTP edge: parses, sends on the bus, renders. No decision about a model is made here.

app.py               make_app: wires faces, health and middleware
server.py            serve_on: serves on a socket, and stops gracefully
keys.py              what handlers find in the application
observe.py           the one middleware: request id, log line, errors to responses
errors.py            the one table from error codes to statuses
responses.py         JSON responses with their security headers
body.py              reads bodies within bounds
auth/                the credentials of a request to a principal, in one chain for every face
health.py            GET /health, GET /ready
personis/            the face of the original Personis server
"""
