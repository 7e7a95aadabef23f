"""The commands of the command line, a module for each family; `llum.cli.main` imports the one that is used."""
