"""The log sensor: writes down things that a person logs, such as an apple, straight onto the bus."""
