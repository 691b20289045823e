"""``python -m dropout_lint``."""

from dropout_lint.cli import main

main()
