"""A llum that works steadily for an hour: does anything grow that should not? `python -m bench.soak [SECONDS]`.

__main__.py     runs it, and prints what came of it
    running.py      the llum, its load, and a sample every few seconds
    load.py         what people and apps do: a few things of each kind, at a steady pace
    visitors.py     a browser that tries llum and leaves
    sampling.py     one look at all processes, the disk and the lag
    slopes.py       whether a series of samples is flat, by a stated rule: pure
    report.py       the table
"""
