"""Links answered in front of Django: a site that does not use it can ignore it."""
