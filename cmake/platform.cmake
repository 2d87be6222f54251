# SPDX-License-Identifier: MIT
# What this platform has: its sources, the definitions that show the whole of its C library, the
# libraries it needs, the pollers that get compiled in, the best first, and the backends that these
# and the proactors make, by name.
#   ISO_SOURCES_SYSTEM  ISO_SYSTEM_DEFINITIONS  ISO_SYSTEM_LIBRARIES  ISO_POLLERS  ISO_BACKENDS

include(${CMAKE_CURRENT_LIST_DIR}/sources.cmake)

if(ISOLOOP_KQUEUE_STANDIN AND NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    message(FATAL_ERROR "ISOLOOP_KQUEUE_STANDIN is for Linux: it stands on epoll and eventfd.")
endif()

if(WIN32)
    set(ISO_SOURCES_SYSTEM ${ISO_SOURCES_WIN32})
    set(ISO_SYSTEM_DEFINITIONS _WIN32_WINNT=0x0A00 WIN32_LEAN_AND_MEAN UNICODE _UNICODE)
    set(ISO_SYSTEM_LIBRARIES ws2_32 iphlpapi advapi32 ntdll)
    set(ISO_POLLERS select)
    set(ISO_BACKENDS proactor:iocp selector:select)
    return()
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
set(ISO_SYSTEM_LIBRARIES Threads::Threads)
set(ISO_SOURCES_SYSTEM ${ISO_SOURCES_POSIX})

# Strict C11 hides what POSIX adds. FreeBSD and OpenBSD show it all unless they are asked not to.
if(APPLE)
    set(ISO_SYSTEM_DEFINITIONS _DARWIN_C_SOURCE)
elseif(CMAKE_SYSTEM_NAME STREQUAL "NetBSD")
    set(ISO_SYSTEM_DEFINITIONS _NETBSD_SOURCE)
elseif(CMAKE_SYSTEM_NAME MATCHES "BSD|DragonFly")
    set(ISO_SYSTEM_DEFINITIONS _BSD_SOURCE)
else()
    set(ISO_SYSTEM_DEFINITIONS _GNU_SOURCE)
endif()

include(CheckSymbolExists)
list(TRANSFORM ISO_SYSTEM_DEFINITIONS PREPEND -D OUTPUT_VARIABLE CMAKE_REQUIRED_DEFINITIONS)
check_symbol_exists(epoll_create1 sys/epoll.h ISO_HAVE_EPOLL)
check_symbol_exists(kqueue "sys/types.h;sys/event.h;sys/time.h" ISO_HAVE_KQUEUE)
unset(CMAKE_REQUIRED_DEFINITIONS)

set(ISO_POLLERS)
if(ISO_HAVE_EPOLL)
    list(APPEND ISO_POLLERS epoll)
    list(APPEND ISO_SOURCES_SYSTEM ${ISO_SOURCES_EPOLL})
endif()
if(ISO_HAVE_KQUEUE OR ISOLOOP_KQUEUE_STANDIN)
    list(APPEND ISO_POLLERS kqueue)
    list(APPEND ISO_SOURCES_SYSTEM ${ISO_SOURCES_KQUEUE})
else()
    list(APPEND ISO_SOURCES_SYSTEM ${ISO_SOURCES_PIDFD})
endif()
list(APPEND ISO_POLLERS poll select)
list(TRANSFORM ISO_POLLERS PREPEND selector: OUTPUT_VARIABLE ISO_BACKENDS)

# The driver has the kernel's declarations itself: no header has to be new enough.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    list(APPEND ISO_SOURCES_SYSTEM ${ISO_SOURCES_IO_URING})
    list(APPEND ISO_BACKENDS proactor:io_uring)
endif()
