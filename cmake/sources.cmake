# SPDX-License-Identifier: MIT
# Every source of the library, floor by floor, one name a line. The test lint.sources compares it
# with what lies in src/.

set(ISO_SOURCES_BASE
    src/common/base/addrinfo.c
    src/common/base/alloc.c
    src/common/base/buffer.c
    src/common/base/error.c
    src/common/base/limits.c
    src/common/base/log.c
    src/common/base/map.c
    src/common/base/profiles.c
)

set(ISO_SOURCES_ENGINE
    src/common/engine/calls.c
    src/common/engine/drv_reactor.c
    src/common/engine/engine.c
    src/common/engine/inbox.c
    src/common/engine/selector.c
    src/common/engine/timers.c
    src/common/engine/turn.c
)

set(ISO_SOURCES_LOOP
    src/common/loop/backends.c
    src/common/loop/capability.c
    src/common/loop/child_descriptor.c
    src/common/loop/child_handler.c
    src/common/loop/child_sigchld.c
    src/common/loop/child_thread.c
    src/common/loop/child_watcher.c
    src/common/loop/exception.c
    src/common/loop/executor.c
    src/common/loop/future.c
    src/common/loop/getaddrinfo.c
    src/common/loop/loop.c
    src/common/loop/object.c
    src/common/loop/policy.c
    src/common/loop/port.c
    src/common/loop/resolve.c
    src/common/loop/run.c
    src/common/loop/schedule.c
    src/common/loop/signals.c
    src/common/loop/shutdown_executor.c
    src/common/loop/sock.c
    src/common/loop/thread_pool.c
    src/common/loop/thread_state.c
    src/common/loop/waited_child.c
    src/common/loop/waiters.c
    src/common/loop/watch.c
)

set(ISO_SOURCES_IO
    src/common/io/connect.c
    src/common/io/connect_pipe.c
    src/common/io/connecting.c
    src/common/io/create_datagram.c
    src/common/io/create_server.c
    src/common/io/datagram.c
    src/common/io/listener.c
    src/common/io/multicast.c
    src/common/io/named_pipe.c
    src/common/io/pipe.c
    src/common/io/process.c
    src/common/io/sendfile.c
    src/common/io/server.c
    src/common/io/stream.c
    src/common/io/terminal.c
    src/common/io/unix.c
)

set(ISO_SOURCES_POSIX
    src/posix/address.c
    src/posix/child.c
    src/posix/clock.c
    src/posix/close_all_but.c
    src/posix/descriptor.c
    src/posix/error.c
    src/posix/multicast.c
    src/posix/identity.c
    src/posix/named_pipe.c
    src/posix/pipe.c
    src/posix/poll.c
    src/posix/process.c
    src/posix/program.c
    src/posix/resolve.c
    src/posix/select.c
    src/posix/sendfile.c
    src/posix/signals.c
    src/posix/sigpipe.c
    src/posix/sock.c
    src/posix/spawn_run.c
    src/posix/standard_stream.c
    src/posix/system.c
    src/posix/table.c
    src/posix/terminal.c
    src/posix/thread.c
    src/posix/unix.c
    src/posix/wake.c
)

# Where the system has it.
set(ISO_SOURCES_EPOLL
    src/posix/epoll.c
)
set(ISO_SOURCES_KQUEUE
    src/posix/child_kqueue.c
    src/posix/kqueue.c
)

# Where there is no kqueue.
set(ISO_SOURCES_PIDFD
    src/posix/child_pidfd.c
)

# The test kit's kqueue for Linux (ISOLOOP_KQUEUE_STANDIN), compiled into the library.
set(ISO_SOURCES_KQUEUE_STANDIN
    tests/support/kqueue.c
)

set(ISO_SOURCES_WIN32
    src/win32/address.c
    src/win32/child.c
    src/win32/clock.c
    src/win32/command_line.c
    src/win32/descriptor.c
    src/win32/drv_iocp.c
    src/win32/error.c
    src/win32/handle.c
    src/win32/inherited.c
    src/win32/iocp_accept.c
    src/win32/iocp_buffers.c
    src/win32/iocp_channel.c
    src/win32/iocp_once.c
    src/win32/iocp_recv.c
    src/win32/iocp_recvfrom.c
    src/win32/iocp_watch.c
    src/win32/multicast.c
    src/win32/named_pipe.c
    src/win32/pipe.c
    src/win32/process.c
    src/win32/program.c
    src/win32/resolve.c
    src/win32/select.c
    src/win32/sendfile.c
    src/win32/signals.c
    src/win32/sock.c
    src/win32/socketpair.c
    src/win32/standard_stream.c
    src/win32/system.c
    src/win32/table.c
    src/win32/terminal.c
    src/win32/thread.c
    src/win32/unix.c
    src/win32/wake.c
)

set(ISO_SOURCES_COMMON
    ${ISO_SOURCES_BASE}
    ${ISO_SOURCES_ENGINE}
    ${ISO_SOURCES_LOOP}
    ${ISO_SOURCES_IO}
)
