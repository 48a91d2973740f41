"""Signing under torture: many processes at once, and a server that is killed again and again."""
