"""Guided against unguided search on MetaQA, at an equal number of walked paths."""
