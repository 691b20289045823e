"""The engine that traces an instantiated module: it gives layer graphs, and what a run proves about calls."""
