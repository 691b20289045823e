"""Forward passes of the whole model in train and in eval mode, and the switch between them."""
