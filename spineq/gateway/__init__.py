"""The queue over HTTP and Socket.IO: the original system's wire, and a documented API."""
