"""The keystroke-level model of annotation tools, from declared sequences of operators.

The model adds up the times of the physical and mental operators that a practiced user needs. The
sequences of other tools follow their public documents, whose addresses are given; what a document
does not say is marked. They were not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = {"K": 0.28, "P": 1.10, "B": 0.10, "H": 0.40, "M": 1.35}
"""Seconds of an operator.

K, P, H and M are those of Card, Moran and Newell, "The keystroke-level model for user performance
time with interactive systems", Communications of the ACM 23(7), 1980, pages 396 to 410, with the K
of an average typist who is no secretary. B is that of Kieras, "Using the keystroke-level model to
estimate execution times", 1993: a mouse button is pressed or released, so that a click is BB.
"""

CLICK = "PBB"
DRAG = "PBPB"

TASKS = (
    ("add", "add a span of two words"),
    ("relabel", "relabel a span"),
    ("delete", "delete a span"),
    ("border", "move the end of a span by a word"),
    ("all", "mark four other occurrences"),
    ("next", "confirm, open the next open article"),
)


@dataclass(frozen=True)
class Method:
    """How a task is done.

    Attributes:
        steps: what the user does, each step with its operators in the order of their execution.
        source: the address of the document that says so; empty for pages that the replay runs.
        remark: what the document does not say, and what is assumed.
    """

    steps: tuple[tuple[str, str], ...]
    source: str = ""
    remark: str = ""

    @property
    def operators(self) -> str:
        """All operators, one letter each."""
        return "".join(operators for _, operators in self.steps)

    @property
    def seconds(self) -> float:
        """The predicted time."""
        return sum(SECONDS[operator] for operator in self.operators)

    @property
    def actions(self) -> int:
        """Number of key presses, without held keys, and of clicks and drags."""
        return sum(
            _count_actions(operators.replace("M", "").replace("H", ""), what)
            for what, operators in self.steps
        )


def _count_actions(operators: str, what: str) -> int:
    mouse = operators.count(DRAG)
    rest = operators.replace(DRAG, "")
    mouse += rest.count(CLICK)
    keys = rest.replace(CLICK, "")
    # A held key is an operator of the model, but not an action of its own.
    return mouse + len(keys) - (1 if "+" in what else 0)


@dataclass(frozen=True)
class Tool:
    """A tool and the methods of its tasks; a task without a method cannot be done that way."""

    name: str
    hand: str
    methods: dict[str, Method]
    missing: str = ""


_PRODIGY = "https://prodi.gy/docs/api-web-app"
_PRODIGY_SNAP = "https://github.com/huggingface/blog/pull/190"
_STUDIO_REGIONS = "https://labelstud.io/guide/label_regions"
_STUDIO_KEYS = "https://labelstud.io/guide/hotkeys"
_INCEPTION = "https://inception-project.github.io/releases/35.0/docs/user-guide.html"
_INCEPTION_KEYS = "https://github.com/inception-project/inception/issues/4758"

_FOUR_DRAGS = (("find and drag over each", f"M{DRAG}" * 4),)

TOOLS: tuple[Tool, ...] = (
    Tool(
        "orbat",
        "keyboard",
        {
            "add": Method(
                (
                    ("Ctrl+Right to the third candidate", "MKKKK"),
                    ("Shift+Right", "KK"),
                    ("label key", "K"),
                )
            ),
            "relabel": Method((("Tab, Tab", "MKK"), ("label key", "K"))),
            "delete": Method((("Tab, Tab", "MKK"), ("Delete", "K"))),
            "border": Method((("Tab, Tab", "MKK"), ("Shift+Right", "KK"))),
            "all": Method((("a", "MK"),)),
            "next": Method((("Enter", "MK"),)),
        },
    ),
    Tool(
        "orbat",
        "mouse",
        {
            "add": Method((("label key", "MK"), ("drag", DRAG))),
            "relabel": Method((("click on the words", f"M{CLICK}"), ("label key", "K"))),
            "delete": Method((("click on the words", f"M{CLICK}"), ("Delete", "K"))),
            "border": Method((("drag out of the span", f"M{DRAG}"),)),
            "all": Method((("a", "MK"),)),
            "next": Method((("Enter", "MK"),)),
        },
    ),
    Tool(
        "doccano",
        "mouse",
        {
            "add": Method((("label key", "MK"), ("drag", DRAG))),
            "relabel": Method(
                (("click on the label's name", f"M{CLICK}"), ("choose in the menu", f"M{CLICK}"))
            ),
            "delete": Method((("right click on the label's name", f"M{CLICK}"),)),
            "border": Method(
                (
                    ("right click on the label's name", f"M{CLICK}"),
                    ("label key", "K"),
                    ("drag", DRAG),
                )
            ),
            "all": Method(_FOUR_DRAGS),
            "next": Method((("Enter, where the address has isChecked=false", "MK"),)),
        },
        "words cannot be selected without a mouse",
    ),
    Tool(
        "Prodigy ner.manual",
        "mouse",
        {
            "add": Method(
                (("number of the label", "MK"), ("drag, snaps to tokens", DRAG)), _PRODIGY_SNAP
            ),
            "relabel": Method(
                (("click", f"M{CLICK}"), ("number of the label", "K"), ("drag", DRAG)),
                _PRODIGY,
                "silent on changing a label; removed and added again",
            ),
            "delete": Method(
                (("click", f"M{CLICK}"),), _PRODIGY, "silent on the gesture; one click is assumed"
            ),
            "border": Method(
                (("click", f"M{CLICK}"), ("number of the label", "K"), ("drag", DRAG)),
                _PRODIGY,
                "silent on moving a border; removed and added again",
            ),
            "all": Method(_FOUR_DRAGS, _PRODIGY, "silent on a command for it; each is marked"),
            "next": Method((("a", "MK"),), _PRODIGY),
        },
        "the list of keys has none that selects words",
    ),
    Tool(
        "Label Studio",
        "mouse",
        {
            "add": Method((("hotkey of the label", "MK"), ("drag", DRAG)), _STUDIO_REGIONS),
            "relabel": Method(
                (("click", f"M{CLICK}"), ("hotkey of the label", "K")), _STUDIO_REGIONS
            ),
            "delete": Method((("click", f"M{CLICK}"), ("Backspace", "K")), _STUDIO_REGIONS),
            "border": Method(
                (
                    ("click", f"M{CLICK}"),
                    ("Backspace", "K"),
                    ("hotkey of the label", "K"),
                    ("drag", DRAG),
                ),
                "https://github.com/HumanSignal/label-studio/issues/3394",
                "an open request; deleted and added again",
            ),
            "all": Method(
                _FOUR_DRAGS,
                "https://github.com/HumanSignal/label-studio/issues/1091",
                "an open request, answered with predictions of a model server; each is marked, "
                "with the setting that keeps the label selected",
            ),
            "next": Method((("Ctrl+Enter in the label stream", "MKK"),), _STUDIO_KEYS),
        },
    ),
    Tool(
        "Label Studio",
        "keyboard",
        {
            "relabel": Method(
                (("Alt+. twice", "MKKK"), ("hotkey of the label", "K")), _STUDIO_KEYS
            ),
            "delete": Method((("Alt+. twice", "MKKK"), ("Backspace", "K")), _STUDIO_KEYS),
            "next": Method((("Ctrl+Enter in the label stream", "MKK"),), _STUDIO_KEYS),
        },
        "the list of keys has none that selects words or moves the border of a text region",
    ),
    Tool(
        "INCEpTION",
        "mouse",
        {
            "add": Method((("drag", f"M{DRAG}"), ("key of the label", "K")), _INCEPTION_KEYS),
            "relabel": Method((("click", f"M{CLICK}"), ("key of the label", "K")), _INCEPTION_KEYS),
            "delete": Method((("click", f"M{CLICK}"), ("Shift+Delete", "KK")), _INCEPTION),
            "border": Method(
                (("drag the handle that appears", f"M{DRAG}"),),
                "https://github.com/inception-project/inception/pull/3678",
            ),
            "all": Method(
                (
                    ("click into the search field", f"M{CLICK}"),
                    ("type eight letters", "H" + "K" * 8),
                    ("Search", f"H{CLICK}"),
                    ("create annotations", f"M{CLICK}"),
                ),
                _INCEPTION,
                "the search sidebar is assumed to be open and set to this document",
            ),
            "next": Method(
                (("shortcut that finishes the document", "MK"), ("Shift+Page Down", "KK")),
                "https://github.com/inception-project/inception/pull/4177",
                "names no key and no question; one key is assumed",
            ),
        },
    ),
    Tool(
        "INCEpTION",
        "keyboard",
        {
            "relabel": Method(
                (("Shift+Right twice", "MKKK"), ("key of the label", "K")), _INCEPTION
            ),
            "delete": Method((("Shift+Right twice", "MKKK"), ("Shift+Delete", "KK")), _INCEPTION),
            "next": Method(
                (("shortcut that finishes the document", "MK"), ("Shift+Page Down", "KK")),
                "https://github.com/inception-project/inception/pull/4177",
                "names no key and no question; one key is assumed",
            ),
        },
        "the guide has no key that selects words or moves a border",
    ),
)


def keystroke_table(tools: Sequence[Tool] = TOOLS) -> str:
    """Return the predicted seconds and the number of actions of every task, as Markdown."""
    lines = [
        "| task | " + " | ".join(f"{tool.name}, {tool.hand}" for tool in tools) + " |",
        "|---" * (len(tools) + 1) + "|",
    ]
    for key, task in TASKS:
        cells = (tool.methods.get(key) for tool in tools)
        shown = (f"{m.seconds:.1f} s, {m.actions}" if m else "not possible" for m in cells)
        lines.append(f"| {task} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def method_table(tools: Sequence[Tool] = TOOLS) -> str:
    """Return every declared sequence with its document, as Markdown."""
    lines = ["| tool | task | steps | operators | document |", "|---|---|---|---|---|"]
    for tool in tools:
        for key, task in TASKS:
            if method := tool.methods.get(key):
                steps = ", ".join(what for what, _ in method.steps)
                source = f"<{method.source}>" if method.source else "run"
                if method.remark:
                    source += f": {method.remark}"
                cells = (f"{tool.name}, {tool.hand}", task, steps, method.operators, source)
                lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(f"- {t.name}, {t.hand}: {t.missing}." for t in tools if t.missing)]
    return "\n".join(lines)
