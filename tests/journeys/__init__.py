"""How the package is cut, and which of its modules five journeys run through."""
