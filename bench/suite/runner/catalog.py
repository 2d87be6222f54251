# SPDX-License-Identifier: MIT
"""What is measured, and with which programs."""

from dataclasses import dataclass, field

OURS, PEER, LIMIT = "isoloop", "peer", "limit"


@dataclass(frozen=True)
class Program:
    """One that takes part: its label, its file (without "suite_"), its arguments."""

    label: str
    name: str
    kind: str
    arguments: tuple = ()


@dataclass(frozen=True)
class Figure:
    """One number that the programs print. Less is better, unless it says otherwise.

    goal: what isoloop has to reach, as ("limit", ratio), ("peers", ratio) or ("value", number)."""

    name: str
    title: str
    unit: str
    more_is_better: bool = False
    goals: tuple = ()


@dataclass(frozen=True)
class Benchmark:
    name: str
    title: str
    figures: tuple
    programs: tuple
    arguments: tuple = ()  # of each program; of the load, if there is one
    load: str = ""  # the program that drives a server
    scaled: int = -1  # which of the arguments --quick divides
    zero: tuple = field(default=())  # figures that must be 0 for isoloop


def _echo_servers(limit):
    return (
        Program("isoloop epoll", "echo_isoloop_stream", OURS, ("selector:epoll",)),
        Program("isoloop epoll, again", "echo_isoloop_stream", OURS, ("selector:epoll",)),
        Program("isoloop add_reader", "echo_isoloop_reader", OURS, ("selector:epoll",)),
        Program("isoloop io_uring", "echo_isoloop_stream", OURS, ("proactor:io_uring",)),
        Program("bare epoll", "echo_bare_epoll", LIMIT),
        Program("bare io_uring", "echo_bare_uring", LIMIT if limit == "uring" else "other limit"),
        Program("libev", "echo_libev", PEER),
        Program("libevent", "echo_libevent", PEER),
        Program("libevent bufferevent", "echo_bufferevent", PEER),
        Program("libuv", "echo_libuv", PEER),
        Program("libuv try_write", "echo_libuv", PEER, ("try",)),
        Program("asio", "echo_asio", PEER),
        Program("asio io_uring", "echo_asio_uring", PEER),
    )


_ECHO = (
    Figure("cpu_ns", "the server's processor time for a message", "ns",
           goals=(("limit", 1.03), ("peers", 1.0))),
    Figure("per_second", "messages a second", "", more_is_better=True),
    Figure("median_us", "round trip, median", "us"),
    Figure("p99_us", "round trip, 99 of 100", "us"),
)


def _echo(name, title, connections, messages, size, depth):
    return Benchmark(name, title, _ECHO, _echo_servers("epoll"),
                     (connections, messages, size, depth), load="load", scaled=1)


def _each(thing, *libraries):
    labels = {"bare": LIMIT, "isoloop": OURS}
    return tuple(
        Program(label, f"{thing}_{label.partition(',')[0]}", labels.get(label.partition(",")[0], PEER))
        for label in libraries
    )


BENCHMARKS = (
    _echo("echo-64", "echo, 64 connections, 64 bytes", 64, 400000, 64, 1),
    _echo("echo-1000", "echo, 1000 connections, 64 bytes", 1000, 400000, 64, 1),
    _echo("echo-16k", "echo, 64 connections, 16 KiB", 64, 200000, 16384, 1),
    _echo("echo-deep", "echo, 64 connections, 16 messages of 64 bytes in flight",
          64, 3200000, 64, 16),
    Benchmark(
        "timers", "1,000,000 timers; restarts among 10,000",
        (
            Figure("create_ns", "create", "ns", goals=(("value", 12), ("peers", 1 / 1.5))),
            Figure("cancel_ns", "cancel, in random order", "ns",
                   goals=(("value", 18), ("peers", 1 / 1.5))),
            Figure("fire_ns", "fire", "ns", goals=(("value", 80), ("peers", 1 / 1.5))),
            Figure("restart_ns", "restart", "ns", goals=(("value", 5), ("peers", 1 / 1.5))),
            Figure("latest_ms", "the latest, of those that fired", "ms", goals=(("value", 4),)),
        ),
        _each("timers", "isoloop", "isoloop, again", "bare", "libev", "libuv", "libevent"),
        (1000000,), scaled=0, zero=("early", "disordered"),
    ),
    Benchmark(
        "ready", "a callback posts the next",
        (
            Figure("deep_ns", "1000 at a time", "ns", goals=(("value", 3), ("peers", 1.0))),
            Figure("single_ns", "one at a time", "ns", goals=(("limit", 1.03),)),
        ),
        _each("ready", "isoloop", "isoloop, again", "bare", "libev", "libuv", "libevent", "asio"),
        (20000000,), scaled=0,
    ),
    Benchmark(
        "posts", "2,000,000 posts from another thread; to and fro between two loops",
        (
            Figure("post_ns", "a post, by the clock", "ns", goals=(("value", 16), ("peers", 1.0))),
            Figure("post_cpu_ns", "a post, processor time of both threads", "ns"),
            Figure("round_trip_us", "a round trip", "us", goals=(("limit", 1.0),)),
        ),
        _each("posts", "isoloop", "isoloop, again", "bare", "libev", "libuv", "libevent", "asio"),
        (2000000,), scaled=0,
    ),
) + tuple(
    Benchmark(
        f"pipes-{pipes}-{active}", f"chain of {pipes} pipes, {active} active",
        (
            Figure("add_us", "register all", "us", goals=(("peers", 1.0),)),
            Figure("dispatch_ns", "pass a byte on", "ns", goals=(("peers", 1.0),)),
        ),
        _each("pipes", "isoloop", "isoloop, again", "bare", "libev", "libuv", "libevent"),
        (pipes, active, 50), scaled=2,
    )
    for pipes, active in ((100, 1), (1000, 1), (1000, 100), (5000, 1), (5000, 100))
) + (
    Benchmark(
        "idle", "10,000 connections that idle",
        (Figure("bytes", "private memory of the server for each", "B", goals=(("value", 200),)),),
        _echo_servers("epoll"), (10000,), load="idle",
    ),
    Benchmark(
        "spawn", "/bin/true with three pipes",
        (
            Figure("per_second", "a second", "", more_is_better=True, goals=(("peers", 1.0),)),
            Figure("cpu_us", "the parent's processor time", "us", goals=(("value", 40),)),
        ),
        _each("spawn", "isoloop", "isoloop, again", "bare", "libuv"), (500,), scaled=0,
    ),
    Benchmark(
        "spawn-500", "the same, 500 MB resident",
        (
            Figure("per_second", "a second", "", more_is_better=True, goals=(("peers", 1.0),)),
            Figure("cpu_us", "the parent's processor time", "us", goals=(("value", 40),)),
        ),
        _each("spawn", "isoloop", "isoloop, again", "bare", "libuv"), (500, 500), scaled=0,
    ),
    Benchmark(
        "wireup", "a loop made, one turn, closed",
        (Figure("loop_us", "each", "us", goals=(("peers", 1.0),)),),
        _each("wireup", "isoloop", "isoloop, again", "bare", "libev", "libuv", "libevent", "asio"),
        (20000,), scaled=0,
    ),
)


def choose(names):
    if not names:
        return list(BENCHMARKS)
    return [one for one in BENCHMARKS if any(one.name.startswith(name) for name in names)]
