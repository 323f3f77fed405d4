"""RFC 8785 texts and the digests built on them; those of the ledger's rows are made by the native module."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import rfc8785

_CHAIN_START: Final = b"sweep.ledger.v1\n"


def dumps(value: Any) -> str:
    """RFC 8785 canonical JSON of `value`."""
    return rfc8785.dumps(value).decode("utf-8")


def lines_digest(lines: Iterable[str]) -> str:
    """SHA-256, lower-case hex, of the lines, each ended by a line feed."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8"))
        digest.update(b"\n")
    return digest.hexdigest()


class Chain:
    """SHA-256 chain over hex digests: d0 = SHA-256(header), d(k+1) = SHA-256(d(k) || digest k)."""

    def __init__(self) -> None:
        self._state = hashlib.sha256(_CHAIN_START).digest()
        self.length = 0
        """Digests that went in."""

    def extend(self, digests: Iterable[str]) -> None:
        """Append digests."""
        for item in digests:
            self._state = hashlib.sha256(self._state + bytes.fromhex(item)).digest()
            self.length += 1

    @property
    def value(self) -> str:
        """The chain so far, lower-case hex."""
        return self._state.hex()


def chain(digests: Iterable[str]) -> str:
    """The chain over all of these."""
    made = Chain()
    made.extend(digests)
    return made.value


class IdentityTemplate:
    """Identities of a study's trials: SHA-256 of the identity document with `params` put in."""

    def __init__(
        self, base: Mapping[str, Any], levels: Mapping[int, Mapping[str, Any]] | None = None
    ) -> None:
        """From the identity document without `params`; `levels` is what `window` says more of each pruning level."""
        self._levels = {
            level: IdentityTemplate({**base, "window": {**base["window"], **window}})
            for level, window in (levels or {}).items()
        }
        before = [k for k in sorted(base) if k < "params"]
        after = [k for k in sorted(base) if k > "params"]
        head = ",".join(f"{dumps(k)}:{dumps(base[k])}" for k in before)
        tail = ",".join(f"{dumps(k)}:{dumps(base[k])}" for k in after)
        self._head = "{" + (head + "," if head else "") + '"params":'
        self._tail = ("," + tail if tail else "") + "}"

    @classmethod
    def of_study(cls, facts: Mapping[str, Any]) -> IdentityTemplate:
        """From table `study` of a ledger."""
        levels = {int(level): window for level, window in facts.get("levels", {}).items()}
        return cls(facts["identity_base"], levels)

    def document(self, key: str, level: int | None = None) -> str:
        """Identity document of the parameter set with canonical JSON `key`, on the whole window or at a pruning level."""
        if level is not None:
            return self._levels[level].document(key)
        return self._head + key + self._tail

    def identity(self, key: str, level: int | None = None) -> str:
        """Identity, lower-case hex."""
        return hashlib.sha256(self.document(key, level).encode("utf-8")).hexdigest()

    def named(self, key: str, identity: str | None) -> str:
        """The document of the whole window or of the level that has this identity; of the whole window if none has."""
        documents = [self.document(key, level) for level in (None, *self._levels)]
        found = (text for text in documents if hashlib.sha256(text.encode("utf-8")).hexdigest() == identity)
        return next(found, documents[0])
