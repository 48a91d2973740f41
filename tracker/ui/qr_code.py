"""QR codes as SVG pictures, for pages and for certificates."""

import qrcode
from qrcode.image.svg import SvgPathFillImage, SvgPathImage

# The margin that ISO/IEC 18004 asks for, in modules.
QUIET_ZONE = 4
# The width of a module where the picture is shown in its own size, in tenths of a millimetre.
MODULE = 10


def svg(text: str, *, quiet_zone: bool = True, on_white: bool = True) -> str:
    """Return the code of a text, which up to 15 % of damage leaves readable (level M).

    Without a quiet zone the picture needs white space around it; off white it is transparent.
    """
    code = qrcode.make(
        text,
        border=QUIET_ZONE if quiet_zone else 0,
        box_size=MODULE,
        image_factory=SvgPathFillImage if on_white else SvgPathImage,
    )
    return str(code.to_string(encoding="unicode"))
