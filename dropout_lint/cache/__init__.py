"""What earlier runs found out, as JSON in ``.dropout_lint_cache``: deleting it changes nothing but the time."""
