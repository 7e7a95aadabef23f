"""What the command line does with people and their models, without a word about how it is shown."""
