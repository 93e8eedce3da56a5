"""Self-distillation of small vision transformers: DINO, with what makes it work at small budgets.

``models.train`` is the program; the rooms here are its parts: pictures (``corpus``), what stands
behind them (``backdrops``), the views that are made of both (``views``), the loss (``losses``), one
step (``learner``), and what is kept of a run (``checkpoint``).
"""
