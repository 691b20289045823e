"""The commands of the command line: each returns an exit code and leaves it to ``cli`` to exit."""
