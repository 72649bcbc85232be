"""Reports from notebooks, and a page to share."""
