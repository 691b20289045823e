"""The cache in ``.dropout_lint_cache``: JSON files. Deleting it changes nothing but the time of a run."""
