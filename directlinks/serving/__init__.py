"""What a visitor of ``/f/`` gets."""
