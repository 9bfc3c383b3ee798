"""Backups: everything that makes this contact centre this one, in one file, and the way back.

    made.py        `ccserver backup`: what is taken, in which order
    restored.py    `ccserver restore`: verified whole, put beside what is there, then put in its place at once
    container.py   the file: a tar, compressed, that proves itself
    manifest.py    what it says of itself
    places.py      where each part lies on this machine

The parts: `configuration` (dialplans, prompts with human recordings), `secrets` (passwords, certificates), `store` (rows, in
a form that SQLite and PostgreSQL both take), `journal` (with the callbacks promised meanwhile), `recordings` (their list; the
sound only when asked for). A backup needs no pause: the store is read as of one moment, and the journal after it, so it
has every turn that the store lacks.
"""
