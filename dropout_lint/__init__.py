"""dropout-lint: finds PyTorch code in which dropout or train/eval mode does not do what its author meant."""

__version__ = "0.1.0"
