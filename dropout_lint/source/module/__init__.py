"""A parsed file, as all collectors of facts share it.

``source_module`` brings names, values and guards of the file together. ``triage`` decides by words which files are
parsed and which definitions visited.
"""
