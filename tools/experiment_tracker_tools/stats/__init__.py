"""Pure mathematics: numbers in, named tuples out."""
