"""The core: decides everything scarce, purely. Reading guide:

`events` (what can come in) and `commands` (what can go out) are the border; `records` is what is kept. The nouns with their
state tables are `contact`, `agent`, `offer`, `attempt`; `plan` is the configuration. `router` turns events into an `Outcome`,
holding its working memory on the `floor`; what a contact reacts to stands in `reactions`, how in `conversation` (the flow
side, interpreted by `flow`, made of `steps`; after the talk it asks for `surveying`, and a `survey` is what came of it),
`queueing` (the wait: `needing` says what it asks of an agent, `prospects` and `ewt` estimate it,
`overflow` ends it unanswered) and `routing` (the agent side, chosen by `matching`); `calendar` knows the hours. Calls that
operators make are `dialling` (`clicking`: a program asked for it): allowed by `tolls`, by the trunk that `trunking` chooses,
ended by `parting`; to colleagues `internal`. A customer who is called back is promised it by `promising`, `owed` it meanwhile and
called by `calling_back`; `callback` is what was promised, `callback_requests` who else asks. `recording` says what is kept of a
talk, `supervising` who listens to it, `wrapup` what is owed of it (`disposition`). `presence` is the agent apart from his
contacts, `codes` what he can dial to tell us something; `explain` says why it all came so;
`nodes` is recovery, where `reconcile` turns a listing into the facts that were missed; `status` is the picture for people.
What a talk can turn into is `transferring` (to one of the `destinations`), `consulting` (its third party is a `consult`) and
`holding`; who hears whom then, `seating`.

Nothing here waits, logs, measures time or throws dice: the same events at the same times give the same decisions.
"""
