# SPDX-License-Identifier: GPL-2.0
"""Bars on a logarithmic scale: what others take, as a multiple of altpid's, in groups of cases."""

import math
import re

# Light and dark, by class.
COLOURS = [
    ("page", "fill", "#ffffff", "#0d1117"),
    ("text", "fill", "#1d2733", "#e6edf3"),
    ("soft", "fill", "#5b6876", "#9aa7b4"),
    ("one", "stroke", "#234455", "#c9d4df"),
    ("tick", "stroke", "#c3d0dc", "#30363d"),
    ("run0", "fill", "#4f7fb0", "#6ea8e0"),
    ("run1", "fill", "#d98f4a", "#e3a869"),
]

# The groups, in order: what a case must look like, what the group is called, and what is left of the
# case's name in there.
GROUPS = [
    (r"bytes of (.*), level (\d+)$", "level {1}", "{0}, bytes"),
    (r"bytes of a namespace (.*)$", "namespaces", "{0}, bytes"),
    (r"bytes of (.*namespace.*)$", "namespaces", "{0}, bytes"),
    (r"namespace create\+destroy.*$", "namespaces", "create and destroy"),
    (r"(translate), level (\d+) to 0, (.*)$", "level {1}", "{0} to level 0, {2}"),
    (r"(.*), level (\d+), (.*)$", "level {1}", "{0}, {2}"),
    (r"((?:one|separate) namespaces?), (\d CPUs?)$", "several CPUs", "{0}, {1}"),
    (r"take\+give a number, (\d+) used: (.*)$", "numbers alone", "{1}, {0} used"),
    (r"(one operation) \((\w+)\): (.*)$", "{1}, by", "{2}"),
    (r"(clone\+exit\+wait): (.*)$", "{0}, by", "{1}"),
    (r"(clone\+exit\+wait)$", "{0}, by", "fork, _exit and wait4"),
]
# What is not a number of a level stands behind those.
LAST = ["namespaces", "several CPUs", "numbers alone"]

LEFT, WIDTH, PAGE, BAR = 250, 540, 860, 8


def place(what):
    """The group of a case, and its name in there."""
    for pattern, group, short in GROUPS:
        found = re.match(pattern, what)
        if found:
            return group.format(*found.groups()), short.format(*found.groups())
    return "others", what


def grouped(rows):
    """[(group, [(name, {run: ratio})])], the levels first."""
    groups = {}
    for what, by_run in rows:
        group, short = place(what)
        groups.setdefault(group, []).append((short.replace("30000", "30,000").replace(
            "4000000", "4,000,000"), by_run))
    order = list(groups)
    order.sort(key=lambda group: (LAST.index(group) if group in LAST else -1,
                                  int(re.sub(r"\D", "", group) or 0)))
    return [(group, groups[group]) for group in order]


def name(run):
    """What a run was on, in a few words."""
    how = re.split(r"[:;(]|, at| with one", run["platform"])[0].strip()
    if "(TCG)" in run["platform"]:
        how = "emulated (QEMU, TCG)"
    cpus = re.search(r"CPUs: (\d+)", run["platform"])
    if not cpus:
        return how
    return f"{how}, {cpus[1]} CPU" + ("" if cpus[1] == "1" else "s")


def style():
    """The colours, for light pages and for dark ones."""
    def rules(at):
        return "".join(f".{row[0]}{{{row[1]}:{row[at]}}}" for row in COLOURS)
    return (f"<style>{rules(2)}@media (prefers-color-scheme: dark){{{rules(3)}}}"
            ".tick{stroke-dasharray:2 3}</style>")


def draw(runs, rows, title, path):
    """Writes the picture of some runs; rows are (what, {run: ratio})."""
    known = {run["name"] for run in runs}
    rows = [(what, {k: v for k, v in by_run.items() if k in known}) for what, by_run in rows]
    groups = grouped([row for row in rows if row[1]])
    ratios = [ratio for _, cases in groups for _, by_run in cases for ratio in by_run.values()]
    if not ratios:
        return
    top = 80
    ticks = [t for t in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
             if min(ratios + [1]) / 2 < t < 2 * max(ratios)]
    lowest, highest = min(ticks[0], 0.9 * min(ratios)), 1.15 * max(ratios)

    def x(ratio):
        return LEFT + WIDTH * math.log(ratio / lowest) / math.log(highest / lowest)

    body, y = [], top
    for group, cases in groups:
        body.append(f'<text class="text" x="16" y="{y + 12}" font-weight="bold">{group}</text>')
        y += 20
        for short, by_run in cases:
            height = (BAR + 1) * len(by_run)
            body.append(f'<text class="text" x="{LEFT - 10}" y="{y + height / 2 + 4:.1f}" '
                        f'text-anchor="end">{short}</text>')
            for j, run in enumerate(run for run in runs if run["name"] in by_run):
                ratio = by_run[run["name"]]
                a, b = sorted((x(1), x(ratio)))
                colour = [other["name"] for other in runs].index(run["name"])
                at = y + (BAR + 1) * j
                body.append(f'<rect class="run{colour}" x="{a:.1f}" y="{at}" '
                            f'width="{max(b - a, 1):.1f}" height="{BAR}"/>'
                            f'<text class="soft" x="{b + 4:.1f}" y="{at + 7.5}" font-size="9">'
                            f"{ratio:.1f}</text>")
            y += height + 7
        y += 8
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PAGE} {y + 6}" '
        'font-family="sans-serif" font-size="11">',
        f"<title>{title}</title>",
        style(),
        f'<rect class="page" width="{PAGE}" height="{y + 6}"/>',
        f'<text class="text" x="16" y="24" font-size="15" font-weight="bold">{title}</text>',
    ]
    for i, run in enumerate(runs):
        left = 16 + 300 * i
        out.append(f'<rect class="run{i}" x="{left}" y="37" width="12" height="10"/>')
        out.append(f'<text class="text" x="{left + 18}" y="46">{name(run)}</text>')
    for tick in ticks:
        kind = "one" if tick == 1 else "tick"
        out.append(f'<path class="{kind}" d="M{x(tick):.1f} {top - 6}V{y}"/>')
        out.append(f'<text class="soft" x="{x(tick):.1f}" y="{top - 12}" text-anchor="middle">'
                   f"{tick:g}</text>")
    path.write_text("\n".join(out + body + ["</svg>"]) + "\n")
