"""The face for people: pages that the server renders, which need no script.

`page()` is the one way to answer with a page. Templates extend `layout.html` and take their parts from `kit.html`.
"""
