"""Measurements of llum against the limits of the machine they run on.

cli.py          which benchmarks to run, and how the figures are printed
    catalogue.py    the benchmarks by name
    report.py       the figures as people read them, and as bench/figures.json keeps them
    figures.py      a figure: what was measured, its limit in the same run, their ratio, the bar
    sizes.py        how much is measured
    ground.py       the folder, servers and programs of one run
    in_turn.py      both sides of a ratio in short rounds, and what each costs
    accounting.py   what processes have cost, by the operating system
    stage.py        a running llum with people in it, beside the echoes that it is compared with
    people.py       the models, tells and asks of the measurements
    catch_up.py, asking.py, over_http.py, footprint.py, starting.py    the benchmarks
    bus_load.py, http_load.py    the load generators, the same for both sides of a ratio
    processes.py    starting and ending processes
    programs/       what runs in a process of its own: the limits, and parts of llum measured alone
scale/          many workers and many people: benchmarks, too
soak/           an hour of steady work, to see what grows: a program of its own
compare/        CPU per operation of two checkouts, in turn: a program of its own
"""
