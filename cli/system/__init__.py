"""The operating system: signals, sockets, files."""
