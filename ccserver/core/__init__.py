"""The core: decides everything scarce, purely. Reading guide:

`events` (what can come in) and `commands` (what can go out) are the border; `records` is what is kept. The nouns with their
state tables are `contact`, `agent`, `offer`, `attempt`; `plan` is the configuration. `router` turns events into an `Outcome`,
holding its working memory on the `floor`; what a contact reacts to stands in `reactions`, how in `conversation` (the flow
s`nodes` is recovery, where `reconcile` turns a listing into the facts that were missed; `status` is the picture for people.

Nothing here waits, logs, measures time or throws dice: the same events at the same times give the same decisions.
"""
