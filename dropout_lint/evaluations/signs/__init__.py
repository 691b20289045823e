"""The signs that a call of a model is an evaluation in train mode, or is none. ``SIGNS`` says what each one is.

``around`` reads the function of the call, ``results`` what becomes of the output, ``ways`` how the model comes there,
and ``modes`` the mode calls elsewhere.
"""
