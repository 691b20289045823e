"""The mode engine: abstract interpretation that follows the train/eval mode of every model through a project.

In: the facts of files (``FileFacts``) and a ``Project`` that finds the others. Out: ``ModeRun`` facts, the events of
each run of an entry point. The engine knows no rule: the checks in ``checks/mode`` read the runs.

- ``linking`` chooses where runs begin and makes them. ``link`` is the entry. It finds the importers of a file
  (``neighbours``), the definitions from which a mode call is reachable (``candidates``, by the names that definitions
  ``mentioned``), and makes the ``runs``, those of many files ``ahead`` in several processes. ``siblings`` forgets what
  other methods of an object may have set.
- ``execution`` executes a program on the state of a run. Each module uses those after it: ``interpreter``
  (expressions), ``calls``, ``methods``, ``invocation``, ``externals`` (code outside of the project), ``construction``,
  ``functions``, ``statements``, ``assignments``, ``lookup``.
- ``program`` is the state of a run: ``machine``, ``events`` and modes, abstract ``values``, the ``definitions`` of the
  project. ``run_facts`` turns it into a ModeRun. Its package docstring is the glossary, with an example.
- ``libraries`` has what is known of code outside of the project, as data: ``frameworks`` that set modes, ``library``
  calls.
"""
