"""Hands found, crops cut, attention computed."""
