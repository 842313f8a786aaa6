"""The alternatives, each as a good engineer would write it in an afternoon, on the same tables."""
