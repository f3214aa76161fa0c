"""Links in front of Django itself: see directlinks/wsgi.py and directlinks/asgi.py."""
