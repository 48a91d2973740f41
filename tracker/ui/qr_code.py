"""QR codes as SVG pictures, for pages and for certificates."""

import segno

# The margin required by ISO/IEC 18004, in modules; the width of a module on a page, in pixels.
QUIET_ZONE = 4
MODULE = 4


def svg(text: str) -> str:
    """Return the QR code of a text, black without background or margin, for white paper."""
    markup: str = _code(text).svg_inline(border=0, dark="#000", omitsize=True)
    return markup


def data_uri(text: str) -> str:
    """Return the same for a page, on white with a margin, so that dark pages can show it too."""
    uri: str = _code(text).svg_data_uri(
        border=QUIET_ZONE, scale=MODULE, dark="#000", light="#fff", omitsize=False
    )
    return uri


def _code(text: str) -> segno.QRCode:
    """Return a QR code that tolerates 15 % damage (level M), never a micro one."""
    return segno.make(text, error="m", micro=False, boost_error=False)
