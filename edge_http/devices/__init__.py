"""Sign-ins by a short code (RFC 8628): for programs without a browser, such as a command line far away, or a sensor.

asking.py   a program asks for a code, and polls
typing.py   the person's page: they type the code, see who asks from where, and go on to the page of consent
routes.py   the addresses
"""
