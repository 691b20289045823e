"""The commands of the command line. Each returns an exit code; only ``cli`` exits."""
