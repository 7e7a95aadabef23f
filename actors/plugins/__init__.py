"""Resolvers of strangers: each in a process of its own, which alone imports it, with bounds for all that it may take.

wire.py       what goes between a worker and such a process
child.py      the process itself
process.py    the worker's side of one process: start it, call it, kill it
plugin.py     one plug-in: who waits for it, and when it is off
together.py   all plug-ins that one ask wants
"""
