"""What ccserver remembers: the journal for the next second, the store for tomorrow, and the live feed for whoever watches.

    engine --commit--> journal (local SQLite) --projector--> store (SQLite or PostgreSQL) --queries--> api
       \\---publish---> feed -----------------------------------------wake-ups------------------------> api

The engine writes only to the journal, which never waits for anybody; everything else follows it at its own pace.
"""
