"""Pictures of a traced model, drawn from plain data without torch: a tree for the terminal, and SVG."""
