"""Walk statements with the semantics of Python.

``Walker`` reads statements in order and hands each to the method of its kind, so that only one place knows the syntax.
``Interpreter`` is the walker that keeps a **state**, which a subclass (a **domain**) defines, and knows where control
goes: both arms of a branch, the turns of a loop with its ``else``, ``break`` and ``continue``, the handlers of a
``try``, returns. A domain says what its values are: how to evaluate an expression, bind a name, copy and join states.

For ``x = a``, ``if c: x = b``, ``use(x)``, an interpreter evaluates ``a``, binds ``x``, copies the state for the arm,
evaluates ``b`` and binds ``x`` in it, joins both states, and evaluates ``use(x)`` where ``x`` is what ``join`` made of
``a`` and ``b``.
"""
