# SPDX-License-Identifier: MIT
"""Instructions and system calls per operation, against their ceilings. Both repeat, whatever else
the machine does: so a gate can hold them."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from .measure import Failed, run_program, start_server

CONNECTIONS = 64
FEW, MANY = 2000, 12000  # messages: what each costs is the difference

# program, arguments, connections: user-space instructions (None: valgrind does not know io_uring),
# system calls, at most, for one message
CEILINGS = (
    ("echo_isoloop_stream", ("selector:epoll",), 64, 290, 2.1),
    ("echo_isoloop_stream", ("selector:epoll",), 1, 540, 3.1),
    ("echo_isoloop_reader", ("selector:epoll",), 64, 200, 2.1),
    ("echo_isoloop_stream", ("proactor:io_uring",), 64, None, 0.4),
    ("echo_isoloop_stream", ("proactor:io_uring",), 1, None, 2.1),
)


def instructions(binary, arguments, load, messages):
    """Of the whole run of a server that echoes so many messages."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        server, port = start_server([
            "valgrind", "--tool=callgrind", f"--log-file={log}",
            f"--callgrind-out-file={os.path.join(folder, 'out')}", binary, *arguments])
        try:
            run_program([load, str(server.pid), port, *messages])
        finally:
            server.terminate()
            server.communicate()
        with open(log, encoding="utf-8") as text:
            found = re.search(r"Collected : (\d+)", text.read())
    if found is None:
        raise Failed("callgrind did not count")
    return int(found.group(1))


# -D: strace is the one that is the child, so that the server can be ended by its own number.
def system_calls(binary, arguments, load, messages):
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        server, port = start_server(["strace", "-D", "-f", "-c", "-o", log, binary, *arguments])
        try:
            run_program([load, str(server.pid), port, *messages])
        finally:
            server.terminate()
            server.communicate()
        with open(log, encoding="utf-8") as text:
            calls = [int(line.split()[3]) for line in text
                     if re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+\d+", line) and " total" not in line]
    if not calls:
        raise Failed("strace did not count")
    return sum(calls)


def per_message(count, binary, arguments, load, connections):
    few, many = (count(binary, arguments, load, [str(connections), str(messages)])
                 for messages in (FEW, MANY))
    # a tenth goes before, each time
    return (many - few) / ((MANY - FEW) * 1.1)


def run(folder):
    missing = [tool for tool in ("valgrind", "strace") if shutil.which(tool) is None]
    if missing:
        print(f"--check needs {' and '.join(missing)}", file=sys.stderr)
        return 1
    load = os.path.join(folder, "suite_load")
    worst = 0
    for name, arguments, connections, most_instructions, most_calls in CEILINGS:
        binary = os.path.join(folder, f"suite_{name}")
        for what, count, most in (("instructions", instructions, most_instructions),
                                  ("system calls", system_calls, most_calls)):
            if most is None:
                continue
            value = per_message(count, binary, arguments, load, connections)
            met = value <= most
            worst = worst if met else 1
            print(f"{'ok    ' if met else 'FAILED'} {name} {' '.join(arguments)}, {connections}"
                  f" connections: {value:.2f} {what} for a message, at most {most}")
    return worst
