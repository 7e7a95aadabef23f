"""A simulation of many hosts that fail: the real placement and rules of moves, simulated time."""
