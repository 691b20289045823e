"""The linker: follows the mode of every model through the ModeFlow facts of a project's files."""
