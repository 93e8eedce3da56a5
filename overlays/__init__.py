"""Maps drawn over pictures."""
