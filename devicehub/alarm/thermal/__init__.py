"""Rules for thermal images: limits in raw counts, spots, and what persists over frames. Pure."""
