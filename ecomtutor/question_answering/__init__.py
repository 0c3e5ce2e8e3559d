"""Answer customers from the shop's own passages: retrieve, read, refuse."""
