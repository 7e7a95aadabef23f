"""Safes: where preferences lie in a model, how they are put together from there, and how a body is taken apart.

places.py      the contexts of a safe, and the order of its views
standing.py    which piece of evidence stands for each setting, in memory or to be read
assembling.py  the sets as they were put, made of what stands
timestamps.py  times as documents have them
"""
