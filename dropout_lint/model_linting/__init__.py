"""From live models to findings: the checks at work on what the graph engine and the observing engine give.

``tracing`` is the job that ``trace`` runs in the child process of a model; ``validate`` runs one of ``runtime/``. Both
answer with the text of a ``ModelFindings``.
"""
