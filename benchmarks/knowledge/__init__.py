"""How fast knowledge graphs load and answer, and how much memory they take."""
