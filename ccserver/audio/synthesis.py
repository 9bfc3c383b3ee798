"""Makes the sound of every prompt: a human recording if there is one, else Asterisk's own, else a synthetic voice.

Called by `ccserver prompts build` and at start. A second build of the same texts does nothing.
"""

from __future__ import annotations

import errno
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ccserver.audio import loudness
from ccserver.audio.errors import AudioError, DiskFull, PromptFailed, ToolMissing
from ccserver.audio.prompts import LEAD_IN, Prompt, PromptBook, Voice

BUILDER = 1
"""Raise when the same text gives another sound (level, trimming, resampling): everything is then built anew."""
WORKERS = 2
LEAD_IN_MS = 300
_MANIFEST = "manifest.json"
_VOICE_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did; counts of files, one per prompt and language."""

    synthesised: int
    recorded: int
    """Made from human recordings."""
    unchanged: int
    removed: int
    """Files of prompts that are no longer in the book."""
    asterisk: int
    """Left to Asterisk's own recorded sounds."""

    @property
    def built(self) -> int:
        """How many files were written."""
        return self.synthesised + self.recorded


class _Made(msgspec.Struct, frozen=True):
    """What the manifest remembers of one file: from what it was made, and how the file looked then."""

    source: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to be."""

    key: str
    """`<language>/<prompt>`"""
    target: Path
    recording: Path | None
    voice: Voice
    text: str

    def source(self) -> str:
        """Fingerprint of all that decides how the file sounds."""
        if self.recording is not None:
            material = ["recording", hashlib.sha256(self.recording.read_bytes()).hexdigest()]
        else:
            material = [*self.voice.command, "text", _pronounced(self.text, self.voice)]
        return hashlib.sha256(msgspec.json.encode([BUILDER, *material])).hexdigest()


def build(book: PromptBook, recordings_dir: Path, out_dir: Path, keep: Collection[str] = ()) -> BuildReport:
    """Bring `out_dir/<language>/<prompt>.wav` (8 kHz, mono, 16 bit) in line with the book; blocks for seconds at most.

    `recordings_dir/<language>/<prompt>.wav` is preferred over everything else. Files are replaced in one step, so that
    Asterisk may be playing the old one. What can be built is built and remembered even when one prompt fails; the first
    failure is raised then (`PromptFailed`, `ToolMissing`, `DiskFull`). `keep`: sounds (`<language>/<prompt>`) that stay though
    the book has them no more, because a daemon still says them.
    """
    manifest_path = out_dir / _MANIFEST
    before = _read_manifest(manifest_path)
    jobs = list(_jobs(book, recordings_dir, out_dir))
    try:
        sources = {job.key: job.source() for job in jobs}
        kept = {job.key: before[job.key] for job in jobs if _is_current(job, sources[job.key], before.get(job.key))}
        stale = [job for job in jobs if job.key not in kept]
        for language in book.languages:
            (out_dir / language).mkdir(parents=True, exist_ok=True)
        after, failure = _make_all(stale, sources)
        if failure is None:
            _make_lead_in(out_dir / f"{LEAD_IN}.wav")
        removed = _remove_others(out_dir, {job.target for job in jobs} | {out_dir / f"{key}.wav" for key in keep})
        after.update(kept)
        if after != before:
            _replace(manifest_path, msgspec.json.format(msgspec.json.encode(dict(sorted(after.items())))))
    except OSError as error:
        raise _unwritable(error, out_dir) from None
    if failure is not None:
        raise failure
    recorded = sum(job.recording is not None for job in stale)
    files = len(book.prompts) * len(book.languages) + sum(map(len, book.words.values()))
    return BuildReport(len(stale) - recorded, recorded, len(kept), removed, files - len(jobs))


def outdated(book: PromptBook, recordings_dir: Path, out_dir: Path) -> tuple[str, ...]:
    """`<language>/<prompt>` of every sound that is there and was made from another text, voice or recording."""
    made = _read_manifest(out_dir / _MANIFEST)
    jobs = (job for job in _jobs(book, recordings_dir, out_dir) if job.key in made and job.target.is_file())
    return tuple(job.key for job in jobs if made[job.key].source != job.source())


def _jobs(book: PromptBook, recordings_dir: Path, out_dir: Path) -> Iterator[_Job]:
    for prompt in book.prompts.values():
        for language in book.languages:
            recording = recordings_dir / language / f"{prompt.name}.wav"
            if recording.is_file():
                yield _job(book, prompt, language, recording, out_dir)
            elif prompt.asterisk is None:
                yield _job(book, prompt, language, None, out_dir)
    for language, words in book.words.items():
        for name, text in words.items():
            recording = recordings_dir / language / f"{name}.wav"
            target = out_dir / language / f"{name}.wav"
            human = recording if recording.is_file() else None
            yield _Job(f"{language}/{name}", target, human, book.voices[language], text)


def _job(book: PromptBook, prompt: Prompt, language: str, recording: Path | None, out_dir: Path) -> _Job:
    voice = book.voices[prompt.voice or language]
    target = out_dir / language / f"{prompt.name}.wav"
    return _Job(f"{language}/{prompt.name}", target, recording, voice, prompt.texts[language])


def _make_lead_in(target: Path) -> None:
    if not target.is_file():
        unfinished = target.with_suffix(".tmp")
        loudness.silence(LEAD_IN_MS).export(unfinished, format="wav").close()
        unfinished.replace(target)


def _make_all(jobs: list[_Job], sources: dict[str, str]) -> tuple[dict[str, _Made], AudioError | None]:
    made: dict[str, _Made] = {}
    failure: AudioError | None = None
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="prompts") as pool:
        pending: list[tuple[_Job, Future[None]]] = [(job, pool.submit(_make, job)) for job in jobs]
        for job, result in pending:
            try:
                result.result()
            except AudioError as error:
                failure = failure or error
            else:
                made[job.key] = _look(job.target, sources[job.key])
    return made, failure


def _make(job: _Job) -> None:
    try:
        if job.recording is not None:
            spoken = loudness.even(loudness.read(str(job.recording)))
        else:
            spoken = loudness.even(_synthesise(job))
    except ValueError as error:
        blamed = job.recording or f"prompt {job.key}, made by {job.voice.command[0]}"
        raise PromptFailed(f"{blamed}: {error}") from None
    unfinished = job.target.with_suffix(".tmp")
    try:
        spoken.export(unfinished, format="wav").close()
        unfinished.replace(job.target)
    except OSError as error:
        raise _unwritable(error, job.target) from None


def _synthesise(job: _Job) -> Any:
    with tempfile.TemporaryDirectory(prefix="ccserver-prompt-") as folder:
        text, wav = Path(folder, "text"), Path(folder, "spoken.wav")
        text.write_text(_pronounced(job.text, job.voice) + "\n", encoding="utf-8")
        command = [word.replace("{text}", str(text)).replace("{wav}", str(wav)) for word in job.voice.command]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_VOICE_PATIENCE_S)
        except FileNotFoundError:
            raise ToolMissing(command[0], f"the voice of language {job.voice.language}") from None
        except subprocess.TimeoutExpired:
            raise ValueError(f"did not finish within {_VOICE_PATIENCE_S} s") from None
        if done.returncode or not wav.is_file():
            complaint = done.stderr.decode(errors="replace").strip() or "wrote no sound"
            raise ValueError(f"ended with {done.returncode}: {complaint.splitlines()[-1]}")
        return loudness.read(str(wav))


def _pronounced(text: str, voice: Voice) -> str:
    for word, instead in voice.pronounce:
        text = re.sub(rf"\b{re.escape(word)}\b", instead.replace("\\", r"\\"), text, flags=re.IGNORECASE)
    return text


def _is_current(job: _Job, source: str, made: _Made | None) -> bool:
    """Size and time too, so that a file that somebody cut short or replaced is made again."""
    return made is not None and job.target.is_file() and made == _look(job.target, source)


def _look(target: Path, source: str) -> _Made:
    seen = target.stat()
    return _Made(source, seen.st_size, seen.st_mtime_ns)


def _remove_others(out_dir: Path, wanted: set[Path]) -> int:
    """Delete the sounds of prompts and languages that are gone; returns how many."""
    others = [path for path in out_dir.glob("*/*") if path.suffix in (".wav", ".tmp") and path not in wanted]
    for path in others:
        path.unlink(missing_ok=True)
    return sum(path.suffix == ".wav" for path in others)


def _read_manifest(path: Path) -> dict[str, _Made]:
    """What an earlier build left; nothing when there was none or it is unreadable, which costs one build."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, _Made])
    except (OSError, msgspec.DecodeError):
        return {}


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def _unwritable(error: OSError, path: Path) -> AudioError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(Path(error.filename or path))
    return PromptFailed(f"{error.filename or path}: {error.strerror}")
