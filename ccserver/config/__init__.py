"""The configuration: a directory of TOML files that telecom admins edit, made into one frozen `core.plan.Plan`.

    dialplans/ccserver.toml ──┐
    dialplans/<flow>.toml … ──┼─ source ─ conform ─ freeze ─ crosscheck, flowcheck ─> Config(plan, asterisk, api, …)
    ivr-prompts/prompts.toml ─┘           (schema)                                    or ConfigErrors, all of them at once

`diff` says what changes between what runs (`running`) and what is written, `walk` one journey of a caller, `graph` draws a flow.

`load.load` is what the daemon calls at start and at a reload; `check.check` is `ccserver check`, `explain.explain_call` is
`ccserver check --call NUMBER --at TIME`. Read `schema` to see what may be written, `errors` to see how mistakes are told.
"""
