"""Names that look like others, pointed out to the person who owns the model.

What looks alike is listed by Unicode (Technical Standard 39, confusables); the library has the list.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

_ASCII_SKELETON: Final = str.maketrans({"1": "l", "I": "l", "|": "l", "0": "O", "m": "rn"})
"""All that looks alike in ASCII: the list of Unicode is long, and need not be read for names that are plain."""


def looks_like(names: Iterable[str]) -> dict[str, list[str]]:
    """Give those names that look like others of these, each with the others, in their order."""
    return {name: [one for one in group if one != name] for group in _alike(names) for name in group}


def warnings(names: Iterable[str]) -> list[str]:
    """Say of which names one should look twice: those that look like others, and those of mixed scripts."""
    listed = list(names)
    groups = _alike(listed)
    grouped = {name for group in groups for name in group}
    mixed = [name for name in listed if name not in grouped and _mixes_scripts(name)]
    return [f"look twice: {', '.join(group)} are {len(group)} names" for group in groups] + [
        f"look twice: {name} has letters of several scripts that look alike" for name in mixed
    ]


def _alike(names: Iterable[str]) -> list[list[str]]:
    """Give the groups of two or more names that look alike."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        groups[skeleton(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def skeleton(name: str) -> str:
    """Write a name so that names that look alike are the same."""
    return name.translate(_ASCII_SKELETON) if name.isascii() else "".join(map(_prototype, name))


def _prototype(character: str) -> str:
    """Give what a character looks like: for one that others look like, itself."""
    if character.isascii():
        return character.translate(_ASCII_SKELETON)
    from confusable_homoglyphs.confusables import confusables_data

    alike = confusables_data.get(character, [])
    if len(alike) != 1:
        return character
    found: str = alike[0]["c"].strip("\u200e")
    # Of two that look like each other alone, none is listed as the one that the other looks like.
    pair = len(confusables_data.get(found, [])) == 1 and not found.isascii()
    return min(character, found) if pair else found.translate(_ASCII_SKELETON)


def _mixes_scripts(name: str) -> bool:
    if name.isascii():
        return False
    from confusable_homoglyphs.confusables import is_dangerous

    return bool(is_dangerous(name))
