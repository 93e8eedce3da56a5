"""Where a person looks, and what they press there."""
