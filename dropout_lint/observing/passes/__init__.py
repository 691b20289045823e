"""Forward passes of the whole model in train and in eval mode, and the calls of train() and eval() between them."""
