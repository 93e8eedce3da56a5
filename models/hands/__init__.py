"""Hands in pictures: finding them, following them through time, and the networks that do it."""
