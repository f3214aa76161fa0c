"""Use cases: each journey in one module, for the API, the admin and the commands."""
