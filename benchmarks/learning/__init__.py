"""Does the tiny policy learn? Real GRPO runs from weak starts, judged on held-out questions."""
