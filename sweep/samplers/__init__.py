"""Samplers: `base` is the contract, each other module one of them or what surrounds them."""

from __future__ import annotations
