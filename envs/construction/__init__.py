"""Graphs from documents: read one or more texts, write the triples that they state."""
