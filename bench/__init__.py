"""ordermill beside what a user would pick instead, and beside the limit: same machine, servers and orders."""
