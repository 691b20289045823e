"""Networks: a LayerGraph for each ``forward`` of a file, and for each chain of layers that is built elsewhere.

What comes in::

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(8, 8)
            self.drop = nn.Dropout(0.2)

        def forward(self, x):
            x = self.fc(x)
            return F.gelu(self.drop(x)) + x

1. ``construction`` runs the constructor. Its domain are **items**: a ``Layer``, a ``LayerSequence`` of them, ``Either``
   of several by a test, ``Repeated`` by a loop. Here ``self.fc`` is ``Layer("torch.nn.Linear")`` and ``self.drop`` is
   ``Layer("torch.nn.Dropout")``. ``builds`` evaluates its expressions, ``arguments`` what is proven about numbers.
2. ``trace`` runs ``forward``. Its domain are **operands**: the nodes that may have made a value. ``x`` is node 0, then
   node 1. ``calls`` finds out what a call applies, and ``graph_builder`` adds the nodes.

What goes out, as index, kind and inputs::

    0 input                       ()
    1 torch.nn.Linear             (0,)
    2 torch.nn.Dropout            (1,)     rate 0.2
    3 torch.nn.functional.gelu    (2,)
    4 add                         (1, 3)   an output

``graphs`` chooses what is traced. A layer of another class of the project is a node of kind ``unknown`` with a
``Wrapper``; ``templates`` summarize such a class for one way to build and call it, and ``splice`` inlines the summary.
"""
