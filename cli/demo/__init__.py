"""The demonstration: the whole walk on this machine, shown and checked, and nothing left running."""

from cli.demo.show import demo

__all__ = ["demo"]
