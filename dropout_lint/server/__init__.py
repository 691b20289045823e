"""The language server: the source engine on unsaved text, for editors; needs the extra ``lsp`` (pygls)."""
