"""Representations of a record, one a file: a record in, bytes or text out."""
