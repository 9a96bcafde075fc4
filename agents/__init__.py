"""Policies: stateless functions from a chat to the next assistant turn."""
