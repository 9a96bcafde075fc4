"""Captions and scene graphs with mistakes to be corrected, and questions with stated reasons."""
