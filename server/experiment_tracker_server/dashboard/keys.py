"""Who may come in: the secrets of one run of the dashboard. They live in memory alone and end with the process."""

import secrets
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

COOKIE = "experiment_tracker"


class Keys(NamedTuple):
    """The secrets of one run.

    Attributes:
        place: first part of every page's path; browsers send cookies to every port of a host, but not to other paths,
            so that no other local server is handed ours.
        token: in the address that the terminal prints.
        tickets: tokens that admit once, for addresses that stand on a command line.
        session: what the cookie holds.
        form: what every form carries.
    """

    place: str
    token: str
    tickets: set[str]
    session: str
    form: str

    @property
    def base(self) -> str:
        """The path below which every page lies."""
        return f"/{self.place}"

    def ticket(self) -> str:
        """A new token that admits once."""
        ticket = secrets.token_urlsafe(32)
        self.tickets.add(ticket)
        return ticket

    def admits(self, given: str) -> bool:
        """Whether what an address carries opens the door; a ticket is used up."""
        if same(given, self.token):
            return True
        found = next((ticket for ticket in self.tickets if same(given, ticket)), None)
        self.tickets.discard(found or "")
        return found is not None

    def is_known(self, cookie_header: str) -> bool:
        """Whether a browser was let in before."""
        try:
            held = SimpleCookie(cookie_header).get(COOKIE)
        except CookieError:
            return False
        return held is not None and same(held.value, self.session)

    @property
    def cookie(self) -> str:
        """What a browser is given to keep: no script reads it, no other site makes it be sent."""
        return f"{COOKIE}={self.session}; Path={self.base}/; HttpOnly; SameSite=Strict"


def new_keys() -> Keys:
    """The secrets of a new run."""
    return Keys(
        secrets.token_hex(6), secrets.token_urlsafe(32), set(), secrets.token_urlsafe(32), secrets.token_hex(32)
    )


def same(given: str, kept: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ."""
    return compare_digest(given.encode("utf-8", "replace"), kept.encode())
