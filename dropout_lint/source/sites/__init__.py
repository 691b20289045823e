"""Facts about calls and classes that configure or apply dropout.

``sites`` makes a ``DropoutSite`` for each such call. For it, ``call_uses`` finds out what the source does with the
result, ``producers`` where the tensor comes from, and ``settled`` whether the arguments of a constructor keep their
values. ``classes`` makes the facts of classes, with ``weight_writes``; ``flags`` those of mode flags;
``narrow_checks`` those of loops over modules.
"""
