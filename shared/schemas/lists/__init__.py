"""Lists that are read back: orders and stock, what may be asked and how it is answered."""
