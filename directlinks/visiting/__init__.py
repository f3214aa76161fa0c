"""What a visitor of ``/f/`` gets, through whichever door: view, middleware or wrapper."""
