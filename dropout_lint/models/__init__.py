"""What runs a model: which one, with which inputs, in a process of its own. Torch is imported in that process only."""
