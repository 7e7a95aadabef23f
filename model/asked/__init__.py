"""The record of who asked, as far as it needs no clock and no bus.

about.py   what a query is about, and under which right
refused.py commands that were refused
tally.py   the asks that have been counted and not yet written
shows.py   which asks have shown a component
"""
