"""What names mean in one file.

``scopes`` resolves an expression to a canonical name, such as ``torch.nn.functional.dropout`` for ``F.dropout``. It
asks ``import_table`` what the imports bind. ``call_arguments`` pairs the arguments of a call with parameters,
``rebinding`` finds all places that bind a name, and ``place`` finds the module name of a file.
"""
