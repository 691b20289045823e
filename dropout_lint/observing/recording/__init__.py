"""What one forward pass does: the modules and functions that it calls, the numbers that it draws, and where."""
