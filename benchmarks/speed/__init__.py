"""What a step, a grade and an import cost."""
