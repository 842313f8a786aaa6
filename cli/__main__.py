"""``python -m cli`` is ``ordermill``."""

from cli.main import main

main(prog_name="ordermill")
