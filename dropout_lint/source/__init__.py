"""Facts of one file, from its syntax tree. ``engine.collect`` is the way in: text in, ``FileFacts`` out."""
