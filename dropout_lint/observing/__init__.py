"""The engine that runs a model and measures its dropout and modes: it returns observations, and knows no rule.

``measuring`` probes a model once; ``watching`` follows a real run. ``recording/`` records one forward pass,
``probing/`` measures one dropout alone, ``passes/`` runs the model in its two modes, ``devices`` compares devices.
"""
