"""Scenes as numbers: what the hands did, and where attention lay, moment by moment."""
