"""Moving a base between SQLite and a real PostgreSQL."""
