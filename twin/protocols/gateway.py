"""The line behind a gateway's port: one request at a time, whichever master asks.

References
----------
MODBUS Application Protocol Specification V1.1b3, section 7 (0AH, a gateway has no path to the
target; 0BH, the target did not respond).
"""

from dataclasses import dataclass

from twin.contracts.transport import GatewaySettings

NO_PATH, NO_RESPONSE = 0x0A, 0x0B
_AROUND = 3  # unit and CRC, which a frame on the line has around its PDU
_SILENCE = 3.5  # characters before an answer, and again before the next request


@dataclass(slots=True)
class Gateway:
    """Reckons when requests that are passed on have been answered."""

    settings: GatewaySettings
    free_s: float = 0.0
    """When the line is free again [s]."""

    def pass_on(self, now_s: float, request: bytes, answer: bytes) -> float:
        """Return after what time the master gets an answer [s].

        Parameters
        ----------
        now_s
            When the request has come [s].
        request, answer
            PDUs. An answer that the meter did not respond has been waited for in vain, one that there is no
            path to it not at all.
        """
        settings = self.settings
        code = answer[1] if answer[0] >= 0x80 else 0
        if code == NO_PATH:
            return 0.0
        taken_s = (len(request) + _AROUND + _SILENCE) * settings.character_s
        if code == NO_RESPONSE:
            taken_s += settings.timeout_s
        else:
            taken_s += (len(answer) + _AROUND + _SILENCE) * settings.character_s
        self.free_s = max(self.free_s, now_s) + taken_s
        return self.free_s - now_s
