"""One open link and its conversation, kept alive: the bytes of each device to readings in the pipe."""
