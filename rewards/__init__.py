"""Small terms that turn the facts of an episode into scores, and how they compose."""
