"""Formulas in plain text, as docstrings have them between dollar signs, as MathML.

A formula reads like code beside its paper: `$P = (1 - staleness) P_S + staleness P_T$`. A name of
several letters is a word or a Greek letter, `_` and `[ ]` make subscripts, `^` powers, `<-` an
assignment, and `r~` is r with a tilde.

>>> to_latex("Q[a] <- rate r + (1 - rate) Q[a]")
'Q_{a} \\\\leftarrow \\\\text{rate} \\\\, r + (1 - \\\\text{rate}) \\\\, Q_{a}'
"""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

GREEK = "alpha beta gamma delta epsilon zeta eta theta lambda mu pi rho sigma tau phi omega".split()
FUNCTIONS = "exp log max min sin cos sum".split()
SIGNS = {
    "<-": r"\leftarrow",
    "<=": r"\le",
    ">=": r"\ge",
    "!=": r"\ne",
    "~": r"\sim",
    "*": r"\cdot",
    "...": r"\dots",
    "||": r"\,\|\,",
    "'": r"\text{′}",
    "''": r"\text{″}",
}
TOKEN = re.compile(r"[A-Za-z]+~?|<-|<=|>=|!=|\|\||\.\.\.|''|\s+|.")
SPANS = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
INLINE = re.compile(r"\$([^$\n]+)\$")


def to_latex(formula: str) -> str:
    """LaTeX for a formula in plain text."""
    tokens = TOKEN.findall(" ".join(formula.split()))
    parts, index = [], 0
    while index < len(tokens):
        part, index = _next(tokens, index)
        parts.append(part)
    return "".join(parts)


def to_mathml(formula: str, display: str = "inline") -> str:
    """MathML for a formula in plain text."""
    return convert(to_latex(formula), display=display)


def in_text(text: str) -> str:
    """HTML in which every formula between dollar signs is MathML."""
    return INLINE.sub(lambda found: to_mathml(html.unescape(found[1])), text)


def in_page(text: str) -> str:
    """A page in which every formula that the Markdown extension marked is MathML."""

    def render(found: re.Match) -> str:
        display = "block" if found[1] == "div" else "inline"
        return to_mathml(html.unescape(found[2]), display)

    return SPANS.sub(render, text)


def _next(tokens: list[str], index: int) -> tuple[str, int]:
    """LaTeX for what begins at `index`, and where the next begins."""
    token, before = tokens[index], tokens[index - 1] if index else ""
    if token == "sqrt":
        inside, end = _bracketed(tokens, index + 1)
        return rf"\sqrt{{{inside}}}", end
    if token == "_" and tokens[index + 1] != "{":
        return f"_{{{_word(tokens[index + 1])}}}", index + 2
    if token == "[" and re.fullmatch(r"[A-Za-z]+~?|[)\]]", before) and before != "E":
        inside, end = _bracketed(tokens, index)
        return f"_{{{inside}}}", end
    if token == " ":
        beside = before[-1:] + tokens[index + 1][0]
        return r" \, " if re.fullmatch(r"[\w)\]}][\w(\\]", beside) else " ", index + 1
    if token.strip("~").isalpha():
        return _word(token), index + 1
    return SIGNS.get(token, token), index + 1


def _bracketed(tokens: list[str], start: int) -> tuple[str, int]:
    """LaTeX for what stands in the brackets that open at `start`, and where the next begins."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += (tokens[index] in "([") - (tokens[index] in ")]")
        if depth == 0:
            return to_latex("".join(tokens[start + 1 : index])), index + 1
    raise ValueError(f"A formula has a bracket that is not closed: {''.join(tokens)}")


def _word(name: str) -> str:
    if name.endswith("~"):
        return rf"\tilde{{{_word(name[:-1])}}}"
    if name in GREEK or name in FUNCTIONS:
        return f"\\{name}"
    return name if len(name) == 1 else rf"\text{{{name}}}"
