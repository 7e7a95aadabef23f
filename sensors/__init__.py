"""Sensors: programs that observe something of a person and tell it onto the bus.

A sensor writes what it has to say into a spool on disk (`sensors.spool`); a publisher (`sensors.publisher`) moves it
onto the bus, in order, whenever the bus is there. So a sensor never waits for the bus and loses nothing by a crash.
`docs/how-to/write-a-sensor.md` shows a whole one. Each sensor is a folder here; the activity sensor is the first.
"""
