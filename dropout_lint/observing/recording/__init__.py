"""Record one forward pass: the modules and functions that it calls, the random numbers that it draws, and where."""
