"""Sound as files: what callers hear before an operator answers, and what remains of the talk afterwards.

    prompts.toml ─ prompts.load ─> PromptBook ─ synthesis.build ─> <state>/prompts/<language>/<prompt>.wav
                                        └─ prompts.PromptResolver ─> "sound:/…/prompts/ru/goodbye" for ARI
    MixMonitor's two legs ─ closing.wait_closed ─> recordings.finish ─> <state>/recordings/…/<contact>.opus
                                                   recordings.to_wav ─> stereo WAV for whoever listens

Read `prompts` first, then `synthesis` and `loudness`; `recordings` stands apart, with `closing` and `ffmpeg` below it.
"""
