"""Unit ids as pseudonyms: HMAC-SHA-256 under a key of the project that is kept apart from what it hides.

Whoever has only the store cannot tell who a unit is, nor try likely ids; whoever has the key can find one person's
records again, to erase them. A team shares one key out of band, so that a unit has one pseudonym. The assignment's salt
is something else: it stands in the plan.
"""

import hmac
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.assignment.digests import hasher
from experiment_tracker_tools.core.errors import Conflict, InvalidInput, StoreFailure
from experiment_tracker_tools.ledger.disk import private_folder, replace_file

_PREFIX = "unit"


class Key(NamedTuple):
    """A project's key.

    Attributes:
        id: names the key without telling it; stands in every pseudonym.
        secret: 32 random bytes.
    """

    id: str
    secret: bytes

    def pseudonym(self, unit: str) -> str:
        """What is stored in the place of a unit id; a pseudonym of this key stays as it is.

        >>> Key("3f2a9c1b", bytes(32)).pseudonym("ann@example.org")[:22]
        'unit-3f2a9c1b-7bfe6be9'
        """
        if unit.startswith(f"{_PREFIX}-{self.id}-") and len(unit) == len(_PREFIX) + len(self.id) + 66:
            return unit
        return f"{_PREFIX}-{self.id}-{hmac.digest(self.secret, unit.encode(), hasher).hex()}"

    def exported(self) -> str:
        """The key as a line of text, to be handed over out of band.

        >>> imported_key(Key("3917939a", bytes(32)).exported()).secret == bytes(32)
        True
        """
        return json.dumps({"key_id": self.id, "secret": self.secret.hex()})


def project_key(path: Path) -> Key:
    """The project's key, made at the first time.

    Raises:
        StoreFailure: if it cannot be read, made, or does not parse; nothing is stored under a wrong key then.
    """
    try:
        if not path.exists():
            private_folder(path.parent)
            _make(path, _fresh())
        return imported_key(path.read_text("utf-8"))
    except (OSError, InvalidInput) as error:
        raise StoreFailure(
            f"The project's key {path.name} cannot be used ({error}). Put the right one back with `key import`; "
            "nothing was recorded."
        ) from error


def imported_key(text: str) -> Key:
    """The key that `exported` gave.

    Raises:
        InvalidInput: if it is no such text, or its id is not the id of its secret.
    """
    try:
        fields = json.loads(text)
        key = Key(str(fields["key_id"]), bytes.fromhex(fields["secret"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"This is no exported key ({type(error).__name__}). Give the whole line of `key export`."
        ) from error
    if key.id != _id_of(key.secret) or len(key.secret) != 32:
        raise InvalidInput("The key's id does not belong to its secret: a character was lost. Export it again.")
    return key


def take_key(path: Path, text: str) -> Key:
    """Take over a team's key, before anything is stored under another one.

    Raises:
        Conflict: if this project has another key.
    """
    key = imported_key(text)
    if path.exists() and project_key(path) != key:
        raise Conflict(
            f"This project stores under key {project_key(path).id}, not {key.id}; one unit would get two pseudonyms. "
            "Import the key before the first trial, into an empty store."
        )
    private_folder(path.parent)
    replace_file(path, [key.exported().encode()])
    return key


def _make(path: Path, key: Key) -> None:
    staged = path.with_name(f"{path.name}.{os.getpid()}")
    replace_file(staged, [key.exported().encode()])
    # A link, unlike a rename, fails if another process was quicker; both then read the same key.
    try:
        path.hardlink_to(staged)
    except FileExistsError:
        pass
    finally:
        staged.unlink()


def _fresh() -> Key:
    secret = os.urandom(32)
    return Key(_id_of(secret), secret)


def _id_of(secret: bytes) -> str:
    return sha256(b"key id" + secret).hexdigest()[:8]
