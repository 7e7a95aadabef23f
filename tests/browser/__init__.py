"""Pages as people see them: in a browser, of a running llum."""
