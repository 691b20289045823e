"""Load a model, find inputs for it, and run a job on it in a child process. Only that process imports torch."""
