"""Socket.IO packets that clients may have broken: they become events that are answered in words."""

from __future__ import annotations

import json
from typing import Any

from socketio.packet import ACK, BINARY_EVENT, EVENT, Packet

#: Name of the event that stands for a packet which cannot be read.
UNREADABLE = "(a packet that cannot be read)"

#: Longest number, characters, and most pieces of binary data that a packet may announce.
_MOST_DIGITS, _MOST_PIECES = 100, 16


class _Json:
    """JSON whose numbers of many digits stay text, which whoever is given them refuses in words."""

    @staticmethod
    def loads(text: str) -> Any:
        return json.loads(text, parse_int=lambda s: int(s) if len(s) <= _MOST_DIGITS else s)

    @staticmethod
    def dumps(made: Any, **words: Any) -> str:
        return json.dumps(made, **words)


class TolerantPacket(Packet):  # type: ignore[misc]  # the library has no types
    """A packet that is an event of nobody's where it cannot be read."""

    json = _Json

    def decode(self, encoded_packet: str) -> int:
        """Read a packet, whatever it is; returns how many pieces of binary data follow."""
        try:
            pieces: int = super().decode(encoded_packet) or 0
        except (ValueError, TypeError, IndexError, RecursionError):
            return self._unreadable()
        is_event = self.packet_type in (EVENT, BINARY_EVENT)
        named = isinstance(self.data, list) and self.data and isinstance(self.data[0], str)
        if is_event and not (named and pieces <= _MOST_PIECES):
            return self._unreadable()
        # We ask for no acknowledgements, so that none means anything.
        return self._unreadable() if self.packet_type >= ACK and not is_event else pieces

    def add_attachment(self, attachment: Any) -> bool:
        """Take a piece of binary data; returns whether it was the last."""
        try:
            return bool(super().add_attachment(attachment))
        except (ValueError, TypeError, IndexError, RecursionError):
            self._unreadable()
            # Handled as what it was begun as.
            self.packet_type = BINARY_EVENT
            return True

    def _unreadable(self) -> int:
        self.packet_type, self.namespace, self.id = EVENT, None, None
        self.data = [UNREADABLE]
        return 0
