"""Does training with a reward move the truth?"""
