"""llum's own keys, as the command line lists and replaces them."""
