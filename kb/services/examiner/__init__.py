"""Looking into an uploaded file, in a process of its own: a hostile file can at worst end that process.

Nothing in this folder imports anything else of the house, so that the process starts in a tenth of a second.
kb/services/examining.py starts it and puts its answer into words.
"""
