"""The course's figures: one style, colours with fixed roles, and functions that draw on Axes.

    from utils import plotting
    plotting.use_style()                    # once, in the import cell; plotting.use_style("dark") to lecture
    ax = plotting.plot_history(history)

Importing changes no matplotlib setting. Each `plot_…(data, *, ax=None, …)` draws on the given axes, or on
those of a new figure, and returns them; none calls `plt.show()`.
"""

from utils.plotting.images import show_images, show_probabilities
from utils.plotting.lines import label_lines, plot_function, plot_history, plot_layers
from utils.plotting.points import plot_decision_boundary, plot_points
from utils.plotting.style import (
    CLASS_COLORS,
    CLASS_MARKERS,
    COLORS,
    DIVERGING,
    PALETTES,
    SEQUENTIAL,
    centred_norm,
    contrast_ratio,
    palette_of,
    readable,
    style_settings,
    use_style,
)

__all__ = [
    "CLASS_COLORS",
    "CLASS_MARKERS",
    "COLORS",
    "DIVERGING",
    "PALETTES",
    "SEQUENTIAL",
    "centred_norm",
    "contrast_ratio",
    "label_lines",
    "palette_of",
    "plot_decision_boundary",
    "plot_function",
    "plot_history",
    "plot_layers",
    "plot_points",
    "readable",
    "show_images",
    "show_probabilities",
    "style_settings",
    "use_style",
]
