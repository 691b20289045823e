"""The engine that traces an instantiated module: tracers, the checks on what they saw, and ways to look at it."""
