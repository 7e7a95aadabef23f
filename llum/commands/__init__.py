"""The commands of the command line, a module for each family; `llum.cli` imports the one that is used."""
