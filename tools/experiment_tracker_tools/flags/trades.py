"""Other trades that have flags and features: command lines and masks of bits, models and maps.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Tuple

from experiment_tracker_tools.flags.lexer import Source

# A file that speaks of these has flags or features of its own.
COMMAND_LINES = tuple(
    (
        "oclif commander yargs argparse cobra pflag minimist kingpin optparse parse_args this.parse( docopt argv "
        "regexp syscall opcode bitmask bitfield parsed. flags.help flags.version --help @click clap:: getopt command("
    ).split()
)
MODELS = tuple(
    (
        "torch tensorflow sklearn scikit keras xgboost lightgbm pandas numpy mlflow transformers geojson leaflet "
        "openlayers mapbox geotools geometry polygon cpuid cpufeature webgl dataset"
    ).split()
)

# An answer that is kept under a name that says who has paid.
WHO_PAYS = (
    r"\b(?:is|has)_?(?i:pro|premium|paid|paying|subscribed|subscriber|enterprise)(?:_?(?:[uU]ser|[pP]lan|[mM]ember))?"
    r"\s*(?::\s*\w+\s*)?:?=\s*(?:await\s+)?$"
)


def speaks_of(source: Source, words: Tuple[str, ...]) -> bool:
    """Whether a file has one of these words anywhere, in its comments and texts too."""
    return _speaks_of(source.text, words)


@lru_cache(maxsize=8)
def _speaks_of(text: str, words: Tuple[str, ...]) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in words)
