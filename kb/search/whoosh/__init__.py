"""The parts of the embedded engine: Whoosh keeps the segments, numpy scores, filters and counts.

`store` keeps the folders and says which one is live; `schema` says what of a document is written, `writing` writes it,
with `gathering`, `merging`, `building` and `helping`. A segment is one file of `arrays`, mapped into memory: its fields
turned round (`inverted`), the stems of each document (`vectors`), the records (`columns`), their values laid out for
counting (`counting`). `segment` and `snapshot` read it; `titles` puts the documents of all segments in order.

`finding`, `scoring`, `selecting`, `ranking` and `answering` make a page of it; `memo` remembers what searches share.
`lexicon` knows the words of the index, by how they begin and sound; `spelling` which of them was meant. `reference`
answers as plain Whoosh does, from the same files: what the tests compare with.
"""
