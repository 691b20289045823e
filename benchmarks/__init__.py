"""Measurements of the whole tool, and the models they are made on."""
