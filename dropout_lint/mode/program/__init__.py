"""The state of a run: values, models with their modes, and events.

Glossary
--------

- **run**: the abstract execution of one entry point: of the top level of a file, or of one function alone.
- **root**: the file in which a run begins. **flow**: a function as source facts describe it, in steps and terms.
- **thing**: an object of the program: a model, a layer, or anything that may hold one. ``module`` is whether it is an
  ``nn.Module``; None is "unknown", here and everywhere. **opaque**: nothing is known about how it was made.
- **modes**: the modes that a thing may be in: {train}, {eval}, {unknown}, or several where paths join.
- **live**: the thing itself computes differently in the two modes, as ``nn.Dropout(0.5)`` or a module that reads
  ``self.training`` does. A container of live things is not live itself. Only live parts prove that a mode matters.
- **below**: a thing with all that it holds. **part_of**: the thing that an unknown part belongs to, such as ``model``
  for ``model.backbone`` where the class of ``model`` is not known.
- **cause**: the event that set the mode of a thing, None for the mode in which it was built.
- **unsettle**: add "unknown" to the modes of a thing, for example of ``model`` at ``model.backbone.eval()``.
- **forget**: make the modes of things unknown. **escape**: pass things to a call that cannot be followed; they are
  forgotten, and the event is recorded.
- **frame**: one call of a function. **turn**: one pass through the body of a loop; a loop over an unknown number of
  elements has two turns, so that the second shows what the first left behind.
- **grad**, **region**: whether gradients are on, and the ``with torch.no_grad()`` around, in the same function.
- **sketch**: the execution of a function that touches no model, on a small budget.

Example
-------

::

    1  model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))
    2  for x, y in batches:
    3      mse_loss(model(x), y).backward()
    4  with torch.no_grad():
    5      print(model(test_input))

The run of these statements makes three things, ``Sequential`` (0), ``Dropout`` (1, live) and ``Linear`` (2), and three
events; a second turn of the loop would change no mode, so there is one::

    0  forward   of 0, {train}, live: 1 in {train}, grad True,  line 3, turn 1 of the loop
    1  backward                                     grad True,  line 3, turn 1 of the loop
    2  forward   of 0, {train}, live: 1 in {train}, grad False, line 5, region: line 4

A check finds that event 1 is the backward pass of event 0, so that the model is trained; that event 2 runs without
gradients and feeds no backward pass, so that it is an evaluation; and that its live part is in train mode. It reports
line 5: "`model` is evaluated without gradients while it is in train mode: no path calls `eval()`".
"""
