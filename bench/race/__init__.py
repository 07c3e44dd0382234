"""The engines that `python -m bench speed` lets answer the same queries, and what they are asked of what."""
