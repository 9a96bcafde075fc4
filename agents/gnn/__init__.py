"""Learned scorers of half-built graphs: graph networks on PyTorch Geometric (extra `gnn`)."""
