"""Hybrids: strategies made of others, one a file."""

from companion.hybrids.blend import Blend
from companion.hybrids.champion import ChampionChallenger
from companion.hybrids.paired import Paired
from companion.hybrids.per_key import PerKey
from companion.hybrids.residual import Residual
from companion.hybrids.triggered import Triggered

__all__ = ["Blend", "ChampionChallenger", "Paired", "PerKey", "Residual", "Triggered"]
