"""Which token comes next? (lesson 15): a model's probabilities under temperature, top-k and top-p, and draws.

The lesson computes the logits of a few prompts just before and hands them over. In this order: the logits are
divided by the temperature (at 0 only the largest stays), the ``top_k`` largest stay, and of these the fewest
most probable ones that together reach ``top_p``. What stays shares the probability anew. Of equally large
logits the one that stands first in the vocabulary counts as the larger.

The random numbers of the draws are fixed: moving a control sends the same numbers through another
distribution, so that what changes is due to the control. ``sampling.js`` computes the same in the browser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utils.explore.base import (
    Action,
    Choice,
    Declaration,
    Explorer,
    Goal,
    Preset,
    Slider,
    colors,
    css,
    esm,
    handed_over,
    number,
    short,
    show,
    still_png,
)

MOST_PROMPTS, MOST_TOKENS = 12, 1000
MOST_ROWS = 12  # tokens that are drawn one by one; all others share the last row
MOST_DRAWS = 10_000
HOTTEST = 3.0
LONGEST_PROMPT = 60  # letters of a prompt that are shown, from its end
TINY = 1e-9  # what sums of probabilities may be off by
RARE = 0.01  # what the challenge calls rare
SCALES = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0)  # where the axis may end

# A small example, made up: one prompt with a clear answer, one with several, one wide open.
_TOKENS = ("York", "mat", "sofa", "floor", "chair", "year", "thing", "house", "day", "story", "of", "blue")
_EXAMPLE = {
    "She lives in New": (6.0, -1.0, -2.0, -1.5, -1.5, 1.8, -0.5, 0.5, 0.2, -0.5, -2.0, -1.0),
    "The cat slept on the": (-3.0, 3.2, 3.0, 2.6, 2.3, -2.5, -1.0, 1.0, -1.8, -2.5, -3.5, -1.5),
    "It was a strange": (-3.0, -0.5, 0.2, -0.2, 0.3, 1.6, 2.3, 1.9, 2.1, 2.2, -2.5, 0.4),
}

Table = dict[str, Any]


# ------------------------------------------------------------------ what the lesson hands over
def prepare(logits: Mapping[str, Any] | None = None, tokens: Sequence[str] | None = None) -> Table:
    """Check prompts, logits and tokens and return them as plain data.

    Args:
        logits: prompt -> (V,) logits of the next token, as a tensor, array or list; 1 to 12 prompts.
        tokens: the V tokens as text, in the vocabulary's order. Without both: a small example.

    Returns:
        ``prompts`` and ``tokens`` as they are shown (a space as ␣), and ``logits``, a list for each prompt.

    Raises:
        ValueError: only one of the two is given, or they do not fit together, or a logit is not finite.
    """
    if (logits is None) != (tokens is None):
        raise ValueError("sampling: give both logits and tokens, or neither")
    if logits is None or tokens is None:
        logits, tokens = _EXAMPLE, _TOKENS
    if not isinstance(logits, Mapping) or not all(isinstance(prompt, str) for prompt in logits):
        raise ValueError("sampling: logits must be a dictionary from a prompt to its logits")
    if not 1 <= len(logits) <= MOST_PROMPTS:
        raise ValueError(f"sampling: needs 1 to {MOST_PROMPTS} prompts, not {len(logits)}")
    if not all(isinstance(token, str) for token in tokens):
        raise ValueError("sampling: tokens must be texts, in the order of the logits")
    if not 2 <= len(tokens) <= MOST_TOKENS:
        raise ValueError(f"sampling: needs 2 to {MOST_TOKENS} tokens, not {len(tokens)}")
    return {
        "prompts": [_shown_prompt(prompt) for prompt in logits],
        "tokens": [visible(token) for token in tokens],
        "logits": [_row(prompt, row, len(tokens)) for prompt, row in logits.items()],
    }


def _row(prompt: str, given: Any, size: int) -> list[float]:
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu().double().numpy()
    try:
        row = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"sampling: the logits of {prompt!r} must be numbers") from None
    if row.shape != (size,):
        raise ValueError(
            f"sampling: the logits of {prompt!r} have shape {row.shape}, but there are {size} tokens"
        )
    if not np.isfinite(row).all():
        raise ValueError(f"sampling: the logits of {prompt!r} must all be finite")
    return row.tolist()


def visible(token: str) -> str:
    """Return a token as it is shown: spaces, tabs and line ends get signs of their own."""
    signs = {" ": "␣", "\n": "⏎", "\t": "⇥", "": "∅"}
    return signs.get(token) or "".join(signs.get(letter, letter) for letter in token)


def _shown_prompt(prompt: str) -> str:
    end = prompt[len(prompt.rstrip(" ")) :]
    text = prompt.rstrip(" ").replace("\n", "⏎").replace("\t", " ") + "␣" * len(end)
    return text if len(text) <= LONGEST_PROMPT else "…" + text[1 - LONGEST_PROMPT :]


# ------------------------------------------------------------------ the numbers
def order_of(logits: Sequence[float]) -> list[int]:
    """Return the tokens' places from the largest logit to the smallest."""
    return sorted(range(len(logits)), key=lambda i: (-logits[i], i))


def distribution(
    logits: Sequence[float], temperature: float = 1.0, top_k: float = math.inf, top_p: float = 1.0
) -> tuple[list[float], int]:
    """Return the V probabilities from which a token is drawn, and how many tokens were not cut away."""
    order = order_of(logits)
    largest = logits[order[0]]
    if temperature == 0:
        weights = [1.0]
    else:
        weights = [
            math.exp((logits[i] - largest) / temperature) for i in order[: int(min(top_k, len(order)))]
        ]
    total = sum(weights)
    kept, before = 0, 0.0
    for weight in weights:
        if kept and top_p < 1 and before / total >= top_p - TINY:
            break
        before += weight
        kept += 1
    found = [0.0] * len(logits)
    for i, weight in zip(order, weights[:kept], strict=False):
        found[i] = weight / before
    return found, kept


def choices(probabilities: Sequence[float]) -> float:
    """Return among how many equally probable tokens a choice would be as open: e to the entropy."""
    return math.exp(-sum(p * math.log(p) for p in probabilities if p > 0))


def dice(count: int, seed: int) -> list[float]:
    """Return ``count`` numbers from 0 to 1, the same in every browser: Weyl steps, mixed by mulberry32."""
    found, state = [], (seed * 0x9E3779B1) & 0xFFFFFFFF
    for _ in range(count):
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        t ^= (t + ((t ^ (t >> 7)) * (t | 61))) & 0xFFFFFFFF
        found.append((t ^ (t >> 14)) / 2**32)
    return found


def drawn(probabilities: Sequence[float], order: Sequence[int], count: int, seed: int) -> list[int]:
    """Return ``count`` drawn tokens: the most probable lie first on the line from 0 to 1."""
    ends, end = [], 0.0
    for i in order:
        if probabilities[i] <= 0:
            break
        end += probabilities[i]
        ends.append(end)
    places = np.searchsorted(ends, dice(count, seed), side="right")
    return [order[min(int(place), len(ends) - 1)] for place in places]


def compute(
    table: Table,
    prompt: str = "0",
    temperature: float = 1.0,
    top_k: float = math.inf,
    top_p: float = 1.0,
    draws: int = 0,
    seed: int = 1,
) -> dict[str, Any]:
    """Return what is shown.

    Keys: ``order`` of the tokens; ``plain``, the model's own probabilities, and ``p``, those after the
    controls, in the vocabulary's order; ``kept``, how many tokens are not cut away: the first of the order;
    ``choices``, how open the choice is; ``fewest`` and ``most`` tokens kept over all prompts; ``drawn``, the
    tokens drawn, and ``counts`` of each.
    """
    logits = table["logits"][int(prompt)]
    order = order_of(logits)
    p, kept = distribution(logits, temperature, top_k, top_p)
    over_all = [distribution(row, temperature, top_k, top_p)[1] for row in table["logits"]]
    taken = drawn(p, order, draws, seed)
    return {
        "order": order,
        "plain": distribution(logits)[0],
        "p": p,
        "kept": kept,
        "choices": choices(p),
        "fewest": min(over_all),
        "most": max(over_all),
        "drawn": taken,
        "counts": [taken.count(i) for i in range(len(logits))],
    }


# ------------------------------------------------------------------ words
def percent(value: float) -> str:
    """Return "42.0%"; "<0.1%" for what would round to nothing."""
    return "<0.1%" if 0 < value < 0.0005 else number(100 * value, 1) + "%"


def named(token: str) -> str:
    """Return a shown token as a sentence has it."""
    return {"␣": "a space", "⏎": "a line end"}.get(token, f"“{token}”")


def describe(
    table: Table,
    prompt: str = "0",
    temperature: float = 1.0,
    top_k: float = math.inf,
    top_p: float = 1.0,
    draws: int = 0,
    seed: int = 1,
) -> str:
    """Return the sentences: the most probable token, what stays, how open the choice is, and the draws."""
    s = compute(table, prompt, temperature, top_k, top_p, draws, seed)
    tokens, first = table["tokens"], s["order"][0]
    words = [
        f"After “{table['prompts'][int(prompt)]}”, {named(tokens[first])} is most probable, "
        f"with {percent(s['p'][first])}."
    ]
    if s["kept"] == 1:
        words.append("No other token can be drawn: this is greedy decoding.")
    else:
        words.append(
            f"{s['kept']} of {len(tokens)} tokens can be drawn, "
            f"as open as a fair choice among {short(s['choices'], 1)}."
        )
    if s["fewest"] < s["most"]:
        words.append(f"These settings leave {s['fewest']} to {s['most']} tokens, depending on the prompt.")
    if draws:
        often = max(s["counts"])
        different = sum(count > 0 for count in s["counts"])
        words.append(
            f"{draws} draw{'s' * (draws > 1)}: {different} different token{'s' * (different > 1)}, "
            f"{named(tokens[s['counts'].index(often)])} {often} time{'s' * (often > 1)}."
        )
    return " ".join(words)


# ------------------------------------------------------------------ the still
def others_named(kept: int, others: int) -> str:
    """Return the name of the row that all tokens without a row of their own share."""
    stay = max(0, kept - MOST_ROWS)
    return f"{stay} of {others} more" if 0 < stay < others else f"{others} more"


def panels(table: Table, **controls: Any) -> list[str]:
    """Return the prompts of the still: those that keep the fewest and the most tokens."""
    kept = [compute(table, str(k), **controls)["kept"] for k in range(len(table["prompts"]))]
    return list(dict.fromkeys([str(kept.index(min(kept))), str(kept.index(max(kept)))]))


def draw(figure: Figure, table: Table, **controls: Any) -> None:
    """Draw the same settings after one or two prompts: the model's own probabilities, the new ones, draws."""
    chosen = panels(table, **controls)
    states = [compute(table, prompt, **controls) for prompt in chosen]
    every = figure.subplots(1, len(chosen), squeeze=False)[0]
    for axes, prompt, state in zip(every, chosen, states, strict=True):
        _draw_bars(axes, table, state, prompt, controls.get("draws", 0))
    handles, labels = every[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=12)
    settings = [f"temperature {short(controls.get('temperature', 1.0))}"]
    if controls.get("top_k", math.inf) < len(table["tokens"]):
        settings.append(f"top-k {controls['top_k']}")
    if controls.get("top_p", 1) < 1:
        settings.append(f"top-p {short(controls['top_p'])}")
    kept = " and ".join(str(state["kept"]) for state in states)
    title = f"{', '.join(settings)}: {kept} of {len(table['tokens'])} tokens stay"
    figure.suptitle(title.capitalize(), x=0.01, ha="left")


def _draw_bars(axes: Axes, table: Table, s: Mapping[str, Any], prompt: str, draws: int) -> None:
    palette, shown = colors(), s["order"][:MOST_ROWS]
    rows = [(table["tokens"][i], s["plain"][i], s["p"][i], s["counts"][i]) for i in shown]
    others = s["order"][MOST_ROWS:]
    if others:  # all together in the last row, so that no kept token and no draw is missing from the picture
        together = (sum(s[key][i] for i in others) for key in ("plain", "p", "counts"))
        rows.append((others_named(s["kept"], len(others)), *together))
    names, plain, now, counts = zip(*rows, strict=True)
    places = np.arange(len(rows))
    axes.barh(places, plain, 0.8, color="#d9d9e0", label="the model's own")
    axes.barh(places, now, 0.46, color=palette["accent"], label="after the settings")
    if draws:
        hit = [place for place in places if counts[place]]
        shares = [counts[place] / draws for place in hit]
        axes.plot(shares, hit, "D", color=palette["text"], markersize=6, label=f"share of {draws} draws")
    axes.set_yticks(places, names)
    for label, p in zip(axes.get_yticklabels(), now, strict=True):
        label.set_color(palette["text"] if p > 0 else palette["muted"])
    most = max(*plain, *now)
    end = next(end for end in SCALES if end >= most - TINY)
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.03 * end), xlabel="probability of the next token")
    axes.grid(visible=False, axis="y")
    before = table["prompts"][int(prompt)]
    axes.set_title(f"“{before if len(before) <= 26 else '…' + before[-25:]}” …", size=13, weight="normal")


def alternative(table: Table, **controls: Any) -> str:
    """Return the still in words."""
    return " ".join(describe(table, prompt, **controls) for prompt in panels(table, **controls))


# ------------------------------------------------------------------ the explorer
def goals_for(table: Table) -> tuple[Goal, ...]:
    """Return the goals that can be reached with these prompts."""
    goals = [
        Goal(
            "single",
            "Temperature 1: leave a single token, by top-k or by top-p alone.",
            "One token left: each draw is the greedy choice.",
        )
    ]
    own = [distribution(row)[0] for row in table["logits"]]
    hot = [distribution(row, HOTTEST)[0] for row in table["logits"]]
    if any(choices(h) >= 2 * choices(o) for h, o in zip(hot, own, strict=True)):
        goals.append(
            Goal(
                "open",
                "By temperature alone, make the choice at least twice as open as the model has it.",
                "Twice as open, and most of what came in is what the model thought wrong.",
            )
        )
    for k in range(1, 100):
        kept = [distribution(row, top_p=k / 100)[1] for row in table["logits"]]
        if min(kept) <= 2 and max(kept) >= 6:
            goals.append(
                Goal(
                    "adapts",
                    "By top-p alone, leave at most 2 tokens after one prompt and at least 6 after another.",
                    "Top-p follows the model: few tokens where it is sure, many where not. Top-k cannot.",
                )
            )
            break
    if any(sum(p >= RARE for p in row) >= 5 for row in own):
        goals.append(
            Goal(
                "tail",
                "Temperature 1.5 or more, 200 draws: at least 5 different tokens, and none that the model "
                "itself gives less than 1%.",
                "Heat for variety, a cut against nonsense: that is why both are used together.",
                challenge=True,
            )
        )
    return tuple(goals)


def declaration(table: Table) -> Declaration:
    """Return the controls for these prompts and tokens."""
    size, prompts = len(table["tokens"]), table["prompts"]
    options = tuple((str(k), prompt) for k, prompt in enumerate(prompts))
    plain = {"temperature": 1.0, "top_k": size, "top_p": 1.0}
    return Declaration(
        name="sampling",
        title="Which token comes next?",
        controls=(
            *([Choice("prompt", "Prompt", options, "0")] if len(prompts) > 1 else []),
            Slider("temperature", "Temperature", 0.0, HOTTEST, 0.05, 1.0),
            Slider("top_k", "Top-k", 1, size, 1, size, f"of {size}"),
            Slider("top_p", "Top-p", 0.01, 1.0, 0.01, 1.0),
            Action("one", "Draw 1", "Draw one token"),
            Action("many", "Draw 100", "Draw a hundred tokens"),
            Action("clear", "Clear", "Forget the draws; the next ones use new random numbers"),
        ),
        presets=(
            Preset("Greedy", plain | {"temperature": 0.0}),
            Preset("Careful", plain | {"temperature": 0.7, "top_p": 0.9}),
            Preset("Hot", plain | {"temperature": 2.0}),
        ),
        goals=goals_for(table),
        width=660,
        height=layout_height(size),
    )


def layout_height(size: int) -> int:
    """Return the height of the picture in CSS pixels for a vocabulary of so many tokens."""
    return 92 + 27 * (min(size, MOST_ROWS) + (size > MOST_ROWS)) + 82


def browser_data(table: Table) -> dict[str, Any]:
    """Return what the browser needs beside the declaration."""
    return {
        **table,
        "rows": MOST_ROWS,
        "most_draws": MOST_DRAWS,
        "rare": RARE,
        "tiny": TINY,
        "scales": list(SCALES),
    }


class SamplingExplorer(Explorer):
    """The live widget of :func:`sampling`."""

    _esm = esm("sampling.js")
    _css = css()


def sampling(logits: Mapping[str, Any] | None = None, tokens: Sequence[str] | None = None) -> None:
    """Show the next token's probabilities, what temperature, top-k and top-p make of them, and draws.

    Arguments and errors are those of :func:`prepare`.
    """
    table = prepare(logits, tokens)
    # What the stored picture shows: one setting, few tokens after one prompt, many after another.
    still = {"temperature": 1.0, "top_p": 0.9, "draws": 200}
    rows = min(len(table["tokens"]), MOST_ROWS + 1)
    show(
        SamplingExplorer(declaration(table), browser_data(table)),
        still_png(draw, size=(9.0, 2.4 + 0.27 * rows), table=table, **still),
        alternative(table, **still),
        call="" if logits is None else handed_over("sampling", logits=logits, tokens=tokens),
    )
