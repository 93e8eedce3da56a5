"""How good attention maps are, measured on pictures whose hands are known.

``models.evaluate`` is the program; the rooms here are its parts: the pictures (``pictures``), the
model under test (``subject``), the numbers (``measures``), and how they are shown (``report``).
"""
