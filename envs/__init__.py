"""Worlds, tasks and text actions: what turns text into facts."""
