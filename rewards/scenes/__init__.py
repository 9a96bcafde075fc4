"""Rewards for scene graphs: matching objects, correcting drafts, stating reasons."""
