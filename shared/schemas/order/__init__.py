"""An order's parameters: declared once, read in two ways that agree."""
