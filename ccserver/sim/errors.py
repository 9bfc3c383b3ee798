"""What can go wrong in the simulated world.

SimError
├── NotAsked       the demo was asked for something it cannot be
├── AlreadyPlayed  another demo plays around this centre
├── NoCentre       no contact centre can be found to play in
├── NoPhones       pjsua2 or numpy is not installed
└── VoiceFailed    a synthetic voice is missing or failed
"""


class SimError(Exception):
    """One line for a person."""


class NotAsked(SimError):
    """The demo was asked for something it cannot be."""


class AlreadyPlayed(SimError):
    """Another demo plays around this centre."""


class NoCentre(SimError):
    """No contact centre can be found to play in."""


class NoPhones(SimError):
    """pjsua2 or numpy is not installed."""


class VoiceFailed(SimError):
    """A synthetic voice is missing or failed."""
