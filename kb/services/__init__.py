"""The rules of the house. No Flask, no HTTP: each function takes a session and plain values, and raises `errors`."""
