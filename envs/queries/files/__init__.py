"""What a database holds before an engine has it, and the files that engines open."""
