"""QR codes as SVG pictures, for pages and for certificates."""

import segno

# The margin that ISO/IEC 18004 asks for, in modules; the width of a module on a page, in pixels.
QUIET_ZONE = 4
MODULE = 4


def svg(text: str) -> str:
    """Return the code of a text, black on nothing and without a margin, for white paper."""
    markup: str = _code(text).svg_inline(border=0, dark="#000", omitsize=True)
    return markup


def data_uri(text: str) -> str:
    """Return the same for a page, on white with a margin, so that it can be read on a dark one."""
    uri: str = _code(text).svg_data_uri(
        border=QUIET_ZONE, scale=MODULE, dark="#000", light="#fff", omitsize=False
    )
    return uri


def _code(text: str) -> segno.QRCode:
    """Return a code of which up to 15 % may be damaged (level M), never one of the micro kind."""
    return segno.make(text, error="m", micro=False, boost_error=False)
