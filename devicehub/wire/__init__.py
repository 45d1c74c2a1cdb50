"""Sans-I/O wire layer: packets, framers, checksums and protocols. Bytes and time in, samples out."""
