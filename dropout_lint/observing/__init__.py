"""The engine that runs a model and measures: it gives observations, and knows no rule.

``measuring`` probes a model once; ``watching`` follows a real run. ``recording/`` notes what one forward pass does,
``probing/`` measures one dropout alone, ``passes/`` runs the model in its two modes, ``devices`` compares devices.
"""
