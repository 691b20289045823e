"""Facts about train and eval mode, for the rules that link files (``mode/``).

``outline`` and ``mentions`` search for words, to choose the few definitions that are read further. For those, ``flow``
and ``functions`` make a ``ModeFlow``: ``steps`` turns the statements into Steps and ``terms`` the expressions into
Terms. ``classes`` finds overrides of ``train`` and ``eval``, and ``names`` statements that forget to call them.
"""
