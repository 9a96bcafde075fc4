"""The bridge to TRL: graph environments as training environments."""
