"""The command line: the ordermill program, and the servers that it starts on one machine."""
