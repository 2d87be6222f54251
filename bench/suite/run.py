#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark suite: cmake -P cmake/bench.cmake calls it."""

import argparse
import sys

from runner import catalog, check, measure, report


def arguments():
    parser = argparse.ArgumentParser(
        prog="cmake -P cmake/bench.cmake --",
        description="isoloop, its peers and bare programs at the same work, in turn. What is told is "
        "medians over the rounds; processor time of the process under test is the main figure.",
    )
    parser.add_argument("--bin", default="build/bench/bench/bin", help="where the programs lie")
    parser.add_argument("--rounds", type=int, default=9, help="how often each runs (9)")
    parser.add_argument("--only", action="append", metavar="NAME", default=[],
                        help="one benchmark, or those whose names begin so; may be repeated")
    parser.add_argument("--peer", action="append", metavar="NAME", default=[],
                        help="only this one, or bare, beside isoloop; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the work: a trial")
    parser.add_argument("--list", action="store_true", help="list the benchmarks")
    parser.add_argument("--json", metavar="FILE", help="write every figure of every round")
    parser.add_argument("--markdown", metavar="FILE", help="write the tables as Markdown")
    parser.add_argument("--svg", metavar="FILE", help="plot the ratios (needs gnuplot)")
    parser.add_argument("--check", action="store_true",
                        help="compare instructions and system calls per operation, which repeat, "
                        "with their ceilings (needs valgrind and strace), and no times")
    return parser.parse_args()


def main():
    options = arguments()
    if options.check:
        return check.run(options.bin)
    chosen = catalog.choose(options.only)
    if not chosen:
        names = ", ".join(one.name for one in catalog.BENCHMARKS)
        print(f"no benchmark is called {' or '.join(options.only)}; there are: {names}",
              file=sys.stderr)
        return 2
    if options.list:
        for one in chosen:
            print(f"{one.name:14} {one.title}")
        return 0
    if options.rounds < 1:
        print("--rounds begins at 1", file=sys.stderr)
        return 2
    results = [measure.run(one, options) for one in chosen]
    for result in results:
        report.print_table(result)
    if options.json:
        report.write_json(options.json, results)
    if options.markdown:
        report.write_markdown(options.markdown, results)
    if options.svg and not report.write_svg(options.svg, results):
        return 1
    return 0 if all(result.is_complete for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
