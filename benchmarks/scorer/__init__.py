"""How fast a graph scorer is, and which share of a training step it takes."""
