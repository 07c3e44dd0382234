"""The parts of the engine on a Typesense cluster: its address, its nodes, what is kept there, what is asked of it."""
