"""ccserver: a contact-centre server that drives Asterisk 22 over ARI.

Reading guide: `core` decides, `connectors` perform and report, `engine` turns the wheel between them, `store` remembers,
`api` shows.
`docs/tour.md` follows one call through all of them.
"""

__version__ = "0.1.0"
