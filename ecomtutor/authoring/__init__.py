"""Tools for those who write lessons: run and tidy notebooks, compare their outputs, lint them."""
