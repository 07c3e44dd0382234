"""Several machines: apps with a data folder each on one PostgreSQL, one search engine and one folder of files."""
