# SPDX-License-Identifier: MIT
"""Medians, spreads and ratios; tables, JSON, a plot."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from datetime import date

from .catalog import LIMIT, OURS, PEER


def median(values):
    return statistics.median(values)


def spread(values):
    """Half of the distance between the quartiles, as a share of the median."""
    if len(values) < 2 or median(values) == 0:
        return 0.0
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return (quarters[2] - quarters[0]) / 2 / median(values)


def medians(result, figure, kind):
    """(median, label) of every program of this kind, the best first."""
    found = [
        (median(result.figures[program.label][figure.name]), program.label)
        for program in result.benchmark.programs
        if program.kind == kind and figure.name in result.figures.get(program.label, {})
    ]
    return sorted(found, reverse=figure.more_is_better)


def best(result, figure, kind):
    found = medians(result, figure, kind)
    return found[0] if found else None


def ratio(value, other):
    return value / other if other else float("nan")


def rows(result, figure):
    """label, median, spread, ratio to the limit, ratio to the best peer."""
    limit = best(result, figure, LIMIT)
    peer = best(result, figure, PEER)
    for program in result.benchmark.programs:
        values = result.figures.get(program.label, {}).get(figure.name)
        if not values:
            continue
        value = median(values)
        yield (program.label, value, spread(values),
               ratio(value, limit[0]) if limit else None, ratio(value, peer[0]) if peer else None)


def goals(result, figure):
    """(text, met) of each goal, by isoloop's best program."""
    ours = best(result, figure, OURS)
    for kind, number in figure.goals:
        against = {"limit": best(result, figure, LIMIT), "peers": best(result, figure, PEER)}.get(kind)
        if ours is None or (kind != "value" and against is None):
            continue
        bound = number if kind == "value" else against[0] * number
        met = ours[0] >= bound if figure.more_is_better else ours[0] <= bound
        sign = ">=" if figure.more_is_better else "<="
        what = f"{bound:.4g}" if kind == "value" else f"{number:.2f} x {against[1]} ({bound:.4g})"
        yield f"{ours[1]}: {ours[0]:.4g} {sign} {what}", met


def noise(result, figure):
    """How far the same program was from itself, as a share."""
    pairs = [
        (median(result.figures[label][figure.name]), median(result.figures[again][figure.name]))
        for label in result.figures
        if (again := f"{label}, again") in result.figures
        and figure.name in result.figures[again]
    ]
    return abs(ratio(pairs[0][1], pairs[0][0]) - 1) if pairs else None


def as_ratio(value):
    return "" if value is None else f"{value:.2f}"


def print_table(result):
    print(f"\n{result.benchmark.name}: {result.benchmark.title}; {result.rounds} rounds")
    for figure in result.benchmark.figures:
        unit = f", {figure.unit}" if figure.unit else ""
        print(f"\n  {figure.title}{unit:24}    median  spread  x limit  x best peer")
        for label, value, width, to_limit, to_peer in rows(result, figure):
            print(f"    {label:24} {value:12.4g} {width:6.1%} {as_ratio(to_limit):>8}"
                  f" {as_ratio(to_peer):>12}")
        distance = noise(result, figure)
        if distance is not None:
            print(f"    the same against the same: {distance:.1%}")
        for text, met in goals(result, figure):
            print(f"    {'met' if met else 'MISSED'}: {text}")
    for label, why in result.left_out.items():
        print(f"  left out: {label}: {why}")


def markdown(result):
    yield f"## {result.benchmark.title}"
    for figure in result.benchmark.figures:
        unit = f" ({figure.unit})" if figure.unit else ""
        yield ""
        yield f"| {figure.title}{unit} | median | spread | to the limit | to the best peer |"
        yield "|---|---:|---:|---:|---:|"
        for label, value, width, to_limit, to_peer in rows(result, figure):
            yield (f"| {label} | {value:.4g} | {width:.1%} | {as_ratio(to_limit)} |"
                   f" {as_ratio(to_peer)} |")
    yield ""


def write_markdown(path, results):
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"<!-- {date.today()}, Linux {platform.release()}, {os.cpu_count()} cores -->\n\n")
        for result in results:
            out.write("\n".join(markdown(result)) + "\n")


def write_json(path, results):
    whole = {
        "date": str(date.today()),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "benchmarks": [
            {
                "name": result.benchmark.name,
                "title": result.benchmark.title,
                "rounds": result.rounds,
                "figures": result.figures,
                "left_out": result.left_out,
                "goals": [
                    {"figure": figure.name, "goal": text, "met": met}
                    for figure in result.benchmark.figures for text, met in goals(result, figure)
                ],
            }
            for result in results
        ],
    }
    with open(path, "w", encoding="utf-8") as out:
        json.dump(whole, out, indent=1)
        out.write("\n")


PLOT = """set terminal svg size 900,{height} font "sans-serif,12" background "white"
set output "{path}"
set datafile separator "\\t"
set title "isoloop and its best peer, to the bare program (1 = as fast; less is better)"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set boxwidth 0.9
set yrange [0:*]
set grid ytics
set xtics rotate by -35
set key top left
plot 1 with lines lc rgb "#888888" title "the bare program", \\
  "-" using 2:xtic(1) lc rgb "#2b6cb0" title "isoloop", \\
  "-" using 2 lc rgb "#c05621" title "the best peer"
"""


def plotted(results):
    """benchmark, isoloop's ratio to the limit, the best peer's; less is better, of every figure."""
    for result in results:
        for figure in result.benchmark.figures[:1]:
            limit, ours, peer = (best(result, figure, kind) for kind in (LIMIT, OURS, PEER))
            if not (limit and ours and peer):
                continue
            ratios = [ratio(one[0], limit[0]) for one in (ours, peer)]
            if figure.more_is_better:
                ratios = [ratio(1, one) for one in ratios]
            yield result.benchmark.name, *ratios


def write_svg(path, results):
    if shutil.which("gnuplot") is None:
        print("no plot: gnuplot is not here", file=sys.stderr)
        return False
    lines = list(plotted(results))
    data = "".join(f"{name}\t{ours:.3f}\n" for name, ours, _ in lines) + "e\n"
    data += "".join(f"{name}\t{peer:.3f}\n" for name, _, peer in lines) + "e\n"
    done = subprocess.run(["gnuplot"], input=PLOT.format(path=path, height=520) + data, text=True,
                          check=False)
    return done.returncode == 0
