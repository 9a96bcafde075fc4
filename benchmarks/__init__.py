"""Comparing rewards by a truth none of them can touch."""
