"""Families of models: what their checkpoints look like, how networks are built and counted."""
