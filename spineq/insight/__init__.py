"""What planners ask of a network beyond its figures."""
