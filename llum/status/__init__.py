"""How llum stands, for an operator: what runs, what it has stored, and how long the disk lasts."""
