"""From built models to findings: run the checks on the facts of the graph engine and the observing engine.

``tracing`` is the job that ``trace`` runs in the child process of a model; ``validate`` runs one of ``runtime/``. Both
answer with the text of a ``ModelFindings``.
"""
