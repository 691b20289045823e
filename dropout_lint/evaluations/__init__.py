"""The evidence engine: finds calls of models that may be evaluations in train mode, and the signs for and against.

In: the mode flows of functions (``FlowReader``) and a ``Project``. Out: ``EvaluationSite`` facts. It proves nothing:
that is what ``mode`` does. It reads each function once and follows a model back from one call, so it needs no entry
point, no class and no budget, and sees programs that ``mode`` cannot run.

- ``sites`` is the entry: it chooses the calls, and makes the facts.
- ``hints`` says quickly which files and functions may have a site, so that few are read.
- ``signs`` finds the evidence.
- ``trails`` follows a model back through callers, attributes and constructors; ``origins`` says what made it.
- ``effects`` says what calls do to its mode; ``liveness`` whether a class differs between the modes.
- ``program`` finds the function that a call calls, and the callers of a function; ``summary`` is one function.
"""
