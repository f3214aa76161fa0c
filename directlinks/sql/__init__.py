"""The statements that the ORM cannot say, or not fast enough: all raw SQL stands here."""
