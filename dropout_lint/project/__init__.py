"""What other files say about a name, class, function or attribute of the file that is checked.

``project.Project`` has one object for each kind of question. ``files`` reads and keeps texts and facts, ``name_search``
chooses by their bytes which files are worth a parse, and ``networks`` completes layer graphs across files.
"""
