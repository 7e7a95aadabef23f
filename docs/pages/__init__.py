"""What the generated pages of docs/reference say, a module for each family."""
