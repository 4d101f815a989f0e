"""Figures as PNG, for whoever can see pictures but runs no browser; needs the extra `plots`."""

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.reports.figure import Figure, theme

_WIDTH, _SCALE = 640, 1.5
MISSING = "Pictures need vl-convert: pip install 'experiment-tracker-mcp[plots]'. Nothing was drawn."


def png(figure: Figure) -> bytes:
    """The figure on a light ground.

    Raises:
        InvalidInput: without the extra, with how to install it.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise InvalidInput(MISSING) from error
    spec = {**figure.spec, "width": _WIDTH, "title": figure.title}
    # No plot names a file or an address, and none may be fetched.
    return vl_convert.vegalite_to_png(
        spec, vl_version="6.4", scale=_SCALE, config=theme(dark=False), allowed_base_urls=[]
    )
