"""I/O edges: one module per kind of link. Every foreign error becomes one of ours here."""
