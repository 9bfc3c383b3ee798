"""What a caller typed is said back to him in our own words, and once more after another flow was called for it."""

from pathlib import Path

from ccserver.audio import prompts, synthesis
from ccserver.sim.phones import PhoneLibrary
from ccserver.sim.phones.tones import find, read_wav
from tests.e2e.centre import contact_centre
from tests.e2e.centre_config import BRISK_LINE, CHECKOUT
from tests.e2e.hearing import SAME_SCORE, Hearing

MAIN = """
start = "identify"
[steps.identify]
do = "call"
flow = "identify"
next = "told"
[steps.told]
do = "hangup"
prompts = ["digits:{order}", "goodbye"]
"""
IDENTIFY = """
start = "ask"
[steps.ask]
do = "collect"
prompts = ["reason-1"]
variable = "order"
max_digits = 2
next = "back"
otherwise = "back"
[steps.back]
do = "return"
"""


async def test_a_number_typed_in_a_called_flow_is_said_word_by_word(
    tmp_path: Path, library: PhoneLibrary, prompts_dir: Path
) -> None:
    flows = {"brisk": MAIN, "identify": IDENTIFY}
    async with contact_centre(tmp_path, library, prompts_dir, run=False, flows=flows) as centre:
        built = centre.asterisk.instance.prompts_dir
        book = prompts.load(CHECKOUT / "ivr-prompts" / "prompts.toml").with_words(["digits"])
        synthesis.build(book, CHECKOUT / "ivr-prompts", built)
        await centre.start()
        caller = await centre.dial(BRISK_LINE)
        await caller.wait_up()
        await Hearing(centre, caller).hears("reason-1")
        await caller.send_dtmf("47")
        await Hearing(centre, caller).hears("goodbye")
        heard = caller.heard()
        found = []
        for word in ("word-4", "word-7"):
            (clip,) = read_wav(built / "ru" / f"{word}.wav")
            match = find(clip.between(0.1, 0.35), heard)
            assert match.score >= SAME_SCORE, f"{word} is not heard: {match}"
            found.append(match.offset_s)
        assert found == sorted(found), "four, then seven"
        (contact,) = await centre.finished()
        assert contact["outcome"] == "flow_completed"
