"""Graph edit distance: correct against whom, how fast, how exact, at what budget."""
