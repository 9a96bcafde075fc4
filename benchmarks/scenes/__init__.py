"""Scene graphs: how fast scenes are matched."""
