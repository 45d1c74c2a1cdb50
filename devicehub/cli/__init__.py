"""The command line: one file per command; arguments to one call, printing, exit codes."""
