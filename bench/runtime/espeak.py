"""Synthesised speech: words spoken by espeak-ng, through its shared library in the package espeakng-loader."""

import _ctypes
import ctypes
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError

RATE_HZ: Final = 8_000
WORDS_PER_MINUTE: Final = 175  # espeak-ng's own default
PITCH: Final = 50  # likewise; 0 to 100

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS: Final = 2
_RETURN_ON_ERROR: Final = 0x8000  # the library would otherwise exit the process
_POSITION_CHARACTER: Final = 1
_UTF8: Final = 1
_RATE: Final = 1
_PITCH: Final = 3
_NATIVE_HZ: Final = 22_050
_SEED: Final = 1

_Samples = ctypes.POINTER(ctypes.c_short)
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, _Samples, ctypes.c_int, ctypes.c_void_p)
if sys.platform == "win32":
    _close: Final = _ctypes.FreeLibrary
else:
    _close: Final = _ctypes.dlclose


def synthesise(text: str, voice: str, *, rate: int = WORDS_PER_MINUTE, pitch: int = PITCH) -> NDArray[np.int16]:
    """Return `text` spoken, int16 [samples] at `RATE_HZ`, without the silence before and after it.

    `voice` is an accent and a variant, such as "en-US+f2"; `rate` is in words per minute (80 to 450) and `pitch` from
    0 to 100. The same arguments give the same samples, whatever was spoken before. Not for several threads at once.

    Raises `DataError` if the library is missing or does not know the voice.
    """
    return _trim(_resample(_speak(text, voice, rate=rate, pitch=pitch)))


def _speak(text: str, voice: str, *, rate: int, pitch: int) -> NDArray[np.int16]:
    """Return `text` at espeak-ng's own sampling rate.

    The library seeds its noise by the clock unless told otherwise, and keeps the phases of flutter and echo in static
    variables that outlive its own termination, so that a clip would depend on the clips before it. It is therefore
    seeded, and loaded afresh for every clip, which takes 2 ms.
    """
    folder = _folder()
    _check_voice(folder, voice)
    chunks: list[bytes] = []

    def receive(samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _Callback(receive)
    library = ctypes.CDLL(str(folder / _library_name()))
    try:
        got_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, str(folder / "espeak-ng-data").encode(), _RETURN_ON_ERROR)
        if got_hz != _NATIVE_HZ:
            raise DataError(f"espeak-ng did not start (code {got_hz}): reinstall espeakng-loader (`make install`)")
        library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(f"gmw/{voice}".encode()) != 0:
            raise DataError(f"espeak-ng does not speak with the voice {voice!r}")
        library.espeak_SetParameter(_RATE, rate, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        library.espeak_Synth(encoded, size, 0, _POSITION_CHARACTER, 0, _UTF8, None, None)
        library.espeak_Terminate()
    finally:
        _close(library._handle)  # noqa: SLF001 - documented by ctypes, underscore and all
    return np.frombuffer(b"".join(chunks), np.int16)


def _check_voice(folder: Path, voice: str) -> None:
    # The library speaks with its default voice where it does not know the variant, and says nothing.
    accent, plus, variant = voice.partition("+")
    for kind, name in (("lang/gmw", accent), ("voices/!v", variant)):
        if (name or plus) and not (folder / "espeak-ng-data" / kind / name).is_file():
            raise DataError(f"espeak-ng has no voice {voice!r}: {name!r} is not among the files in its {kind}")


def _folder() -> Path:
    # The package is only found, not imported: nothing of its code is needed.
    spec = find_spec("espeakng_loader")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        if (Path(folder) / _library_name()).exists():
            return Path(folder)
    raise DataError(
        "speech is synthesised by the package espeakng-loader, which is missing: install it (`make install`)"
    )


def _library_name() -> str:
    return {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}.get(sys.platform, "libespeak-ng.so")


_UP: Final = 160  # 22,050 Hz * 160 / 441 = 8,000 Hz
_DOWN: Final = 441
_HALF_WIDTH: Final = 24  # taps on either side, in samples of the input
_UNIT: Final = 1 << 15


def _resample(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return samples at 22,050 Hz at 8,000 Hz, in integers throughout so that every machine gets the same bits."""
    count = len(samples) * _UP // _DOWN
    whole, phase = np.divmod(np.arange(count) * _DOWN, _UP)
    padded = np.pad(samples.astype(np.int64), _HALF_WIDTH)
    windows = padded[whole[:, None] + np.arange(1, 2 * _HALF_WIDTH + 1)]  # [count, taps]
    filtered: NDArray[np.int64] = (windows * _taps()[phase]).sum(axis=1) // _UNIT
    return filtered.clip(-32_768, 32_767).astype(np.int16)


@cache
def _taps() -> NDArray[np.int64]:
    """Return a low-pass filter for each of the phases, [phases, taps]: a sinc cut at 3.8 kHz under a Hann window."""
    offsets = np.arange(1 - _HALF_WIDTH, _HALF_WIDTH + 1) - np.arange(_UP)[:, None] / _UP
    cutoff = 2 * 3_800 / _NATIVE_HZ
    taps: NDArray[np.float64] = cutoff * np.sinc(cutoff * offsets) * np.cos(np.pi * offsets / (2 * _HALF_WIDTH)) ** 2
    return (taps * _UNIT).round().astype(np.int64)


def _trim(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the samples from the first to the last that reaches a fiftieth of the peak (-34 dB)."""
    magnitude = np.abs(samples.astype(np.int32))
    loud = np.flatnonzero(50 * magnitude >= magnitude.max(initial=1))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples
