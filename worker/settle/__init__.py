"""Settling: the slices of a message in; orders, stock and outcomes out, written together."""
