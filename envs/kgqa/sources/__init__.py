"""Where the tasks of the knowledge-graph family come from."""
