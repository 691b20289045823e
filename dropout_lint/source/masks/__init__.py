"""Hand-written dropout: a MaskSite for each random mask that is applied to a tensor.

What comes in::

    def __init__(self, p):
        self.p = p

    def forward(self, x):
        keep = 1 - self.p
        noise = torch.rand_like(x)
        mask = (noise < keep).float()
        return x * mask / keep

``statements`` runs a function with the interpreter of ``walking``, and ``evaluator`` evaluates its expressions over
the symbolic values of ``algebra``. Line by line they are:

- ``keep``: ``Product`` of one factor, ``Linear(1, -1, "__init__.p")``, which is 1 - p to the power of 1. ``self.p`` is
  what the constructor was given, and the prefix keeps it apart from a local ``p``;
- ``noise``: ``Random`` of a ``Draw``, numbers whose distribution is known, here uniform;
- ``noise < keep``: ``Product`` with a ``Mask``: ones with the probability 1 - p. ``.float()`` leaves it as it is;
- ``x * mask``: ``Product`` of the factor ``x`` and the mask. ``use`` is this expression, where both met;
- ``... / keep``: the same with the factor 1 - p to the power of -1. Returned, it goes to ``Reader.used``.

``mask.sum()`` would be a ``Count``: so many ones of the mask, for code that scales by what it observed. Where two
paths meet with different values, the value is unknown, or its mask stays and ``unsure`` is set.

What goes out: ``sites`` makes one ``MaskSite`` for each ``use``. ``scale_of`` compares the factors with the probability
to keep, here ``"right"``; ``reach`` adds which calls of ``forward`` lead there and whether the mode is tested.
``helpers`` follows functions of the file that return a mask, and ``skips`` finds branches that one number decides.
"""
