"""An app as sites have it: models with files of their own, for tests of what is registered."""
