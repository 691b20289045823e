"""The linker: follows the mode of every model through the ModeFlow facts of a project's files.

``link`` chooses where runs begin (``candidates`` by what is ``mentioned``, ``neighbours``) and takes them in one after
the other; ``runs`` are made in a known state (``siblings``) and have their events judged, those of many files ``ahead``
in several processes. A run is made of these, and each imports only what comes after it:

- ``interpreter`` (expressions), ``calls``, ``methods``, ``invocation`` (of values), ``externals`` (outside of the
  project), ``construction``, ``functions``, ``statements``, ``assignments``, ``lookup``, with what they share beside
  them: what the parts of a program do to the machine;
- ``machine``, ``definitions``: the state of a run, and what the files of the project define;
- ``library``, ``frameworks``, ``zoos``: what is known about code outside of the project, as data;
- ``events``, ``contents``, ``values``: what happens to models, and what names stand for.

A judge reads the events and adds ``evidence``: ``left_in_eval``, ``evaluations``, ``explicit_train`` and
``single_events`` ask a ``history``; ``exported``, ``frozen`` and ``sampling`` ask the machine.
"""
