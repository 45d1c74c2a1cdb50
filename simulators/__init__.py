"""One file per model; the file name is the name."""
