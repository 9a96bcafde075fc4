"""Where questions with gold queries come from."""
