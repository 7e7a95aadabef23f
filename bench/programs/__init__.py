"""Programs that run in a process of their own: the limits, and parts of llum measured alone.

Each prints one line when it is ready or done. All run on uvloop, as llum does.
"""
