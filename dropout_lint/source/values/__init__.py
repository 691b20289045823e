"""What expressions and code around them say about dropout: rates (``values``), mode tests (``guards``), intent.

``values`` follows a rate back to constants and parameters, and asks ``options`` for those of the command line.
"""
