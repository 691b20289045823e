"""The engine that traces a built model: it returns layer graphs, and the dropout calls that its run proves wrong."""
