"""The API of torch as data, so that torch need not be imported.

``signatures`` has the dropout calls with their parameters, ``activations`` and ``layer_groups`` what the placement
rules know about layers, and ``names`` maps other spellings of a name to the one in these tables.
"""
