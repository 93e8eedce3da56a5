"""How good attention maps are, measured on pictures whose hands are known.

``signlight evaluate`` is the program; the rooms here are its parts: the pictures
(``picture_sets``), what is drawn behind their hands (``drawn``), the model under test
(``subject``), the numbers (``hand_measures``), and how they are shown (``report``).
"""
