"""How the site that is set up otherwise writes dates and numbers: see ``settings_hostile``."""
