"""The parts of the embedded engine: Whoosh keeps the postings, numpy scores, filters and counts.

`store` keeps the folders and says which one is live; `schema` says what of a document is written, `writing` writes it;
`segment` and `snapshot` hold what is read, as arrays; `scoring`, `selecting` and `answering` make a page of it.
`lexicon` knows the words of the index, by how they begin and sound; `spelling` which of them was meant.
"""
