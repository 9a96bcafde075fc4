"""Query families: the cage's speed, reading and comparing queries, gold, wrong queries."""
