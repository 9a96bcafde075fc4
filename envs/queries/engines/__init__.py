"""Real query engines in a cage: a guard, worker processes with limits, a pool."""
