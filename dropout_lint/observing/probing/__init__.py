"""One dropout module alone: its rate, its scale, its mask, on which inputs."""
