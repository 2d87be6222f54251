# SPDX-License-Identifier: MIT
"""Runs the programs of a benchmark, in rounds, each round in the opposite order to the last."""

import os
import select
import subprocess
import sys
from dataclasses import dataclass, field

QUICK = 20
TIME_LIMIT = 300  # seconds, of one run
START_LIMIT = 30  # and of a server, to tell its port


@dataclass
class Result:
    benchmark: object
    rounds: int
    figures: dict = field(default_factory=dict)  # label: {name: [one a round]}
    left_out: dict = field(default_factory=dict)  # label: why
    is_complete: bool = True


class Failed(Exception):
    pass


def parse(text):
    figures = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        try:
            figures[name] = float(value)
        except ValueError:
            raise Failed(f"printed \"{line}\"") from None
    return figures


def run_program(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"did not end in {TIME_LIMIT} s") from None
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"ended with {done.returncode}")
    return parse(done.stdout)


def start_server(command):
    """The server, and its port once it has told it."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told, _, _ = select.select([server.stdout], [], [], START_LIMIT)
    word, _, port = server.stdout.readline().partition(" ") if told else ("", "", "")
    if word != "port":
        server.kill()
        raise Failed(server.communicate()[1].strip() or "did not tell its port")
    return server, port.strip()


def run_server(command, load):
    server, port = start_server(command)
    try:
        return run_program([load[0], str(server.pid), port, *load[1:]])
    finally:
        server.kill()
        server.communicate()


def run_once(benchmark, program, options):
    path = os.path.join(options.bin, f"suite_{program.name}")
    numbers = list(benchmark.arguments)
    if options.quick and benchmark.scaled >= 0:
        numbers[benchmark.scaled] = max(1, numbers[benchmark.scaled] // QUICK)
    numbers = [str(number) for number in numbers]
    if not benchmark.load:
        return run_program([path, *numbers, *program.arguments])
    load = os.path.join(options.bin, f"suite_{benchmark.load}")
    return run_server([path, *program.arguments], [load, *numbers])


def taking_part(benchmark, options, result):
    chosen = []
    for program in benchmark.programs:
        wanted = not options.peer or program.kind == "isoloop" or any(
            program.label.startswith(name) for name in options.peer)
        if not wanted:
            continue
        if os.path.exists(os.path.join(options.bin, f"suite_{program.name}")):
            chosen.append(program)
        else:
            result.left_out[program.label] = "was not built: its library is not here"
    return chosen


def run_round(benchmark, programs, options, result):
    for program in programs:
        if program.label in result.left_out:
            continue
        try:
            figures = run_once(benchmark, program, options)
        except (Failed, OSError) as failure:
            result.left_out[program.label] = str(failure)
            result.figures.pop(program.label, None)
            # a backend that this system lacks is left out; what goes wrong else is a failure
            if program.kind == "isoloop" and "not available" not in str(failure):
                result.is_complete = False
            continue
        kept = result.figures.setdefault(program.label, {})
        for name, value in figures.items():
            kept.setdefault(name, []).append(value)


def check_zeros(benchmark, result):
    for program in benchmark.programs:
        for name in benchmark.zero:
            values = result.figures.get(program.label, {}).get(name, [])
            if program.kind == "isoloop" and any(values):
                result.left_out[program.label] = f"{name}: {values}, must be 0"
                result.is_complete = False
                result.figures.pop(program.label)


def run(benchmark, options):
    result = Result(benchmark, options.rounds)
    programs = taking_part(benchmark, options, result)
    for number in range(options.rounds):
        print(f"{benchmark.name}: round {number + 1} of {options.rounds}", file=sys.stderr)
        run_round(benchmark, programs if number % 2 == 0 else programs[::-1], options, result)
    check_zeros(benchmark, result)
    return result
