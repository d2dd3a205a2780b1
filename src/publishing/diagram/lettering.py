"""How wide a text will be, as nearly as one can say without the reader's fonts."""

from __future__ import annotations

from typing import Final

#: What browsers are asked for. All but the last have widths close to Helvetica's.
FONTS: Final = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
#: Advance widths of Helvetica, in thousandths of the font's size (Adobe's font metrics).
_WIDTHS: Final = {
    character: width
    for width, characters in {
        191: "'",
        222: "ijl",
        260: "|",
        278: " !,./:;I[\\]ft·",
        333: "()-`r",
        334: "{}",
        355: '"',
        389: "*",
        469: "^",
        500: "Jcksvxyz",
        556: "#$0123456789?L_abdeghnopqu",
        584: "+<=>~",
        611: "FTZ",
        667: "&ABEKPSVXY",
        722: "CDHNRUw",
        778: "GOQ",
        833: "Mm",
        889: "%",
        944: "W",
        1000: "→…",
        1015: "@",
    }.items()
    for character in characters
}
_BOLD: Final = 1.08  # Helvetica Bold beside Helvetica, for words in small letters
_MARGIN: Final = 1.07  # the widest of the fonts above beside Helvetica


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a line of text, rather too much than too little. Raises KeyError for characters
    that labels do not have."""
    units = sum(_WIDTHS[character] for character in text)
    return units / 1000 * size * _MARGIN * (_BOLD if bold else 1)
