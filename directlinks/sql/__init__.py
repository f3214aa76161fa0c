"""Raw SQL: the statements that the ORM cannot say, or not fast enough."""
