"""Where cities come from: files, and two that are built in."""
