"""Run one dropout module alone, and read its rate, its scale and its mask."""
