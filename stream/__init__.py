"""Frames, hands and maps as values, and the loops that move them: the bottom layer."""
