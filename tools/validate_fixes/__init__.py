"""Translation validation of safe fixes: programs that make a fix treacherous are run before and after it.

    python -m tools.validate_fixes --programs 5000      make, fix and run them
    python -m tools.validate_fixes --show 17            print one program and what is made of it

A program is one **mistake** of a rule (``mistakes.py``), around which the grammar puts

- a **rate**: a number, a local name, an element of a list, an attribute, ... (``rates.py``);
- a **frame**: the kind of function that contains the mistake, and how it is called (``frames.py``);
- **hazards**: code before, between and after, or somewhere else, that binds a name again, changes an object, or
  reads what the fix may change (``hazards.py``).

Number and seed decide the whole program. A safe fix is right where ``verdicts.py`` finds nothing that differs.
"""
