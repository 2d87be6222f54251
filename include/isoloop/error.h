/* SPDX-License-Identifier: MIT */
/* Every error the library can answer with, in one table: its name and number, its sentence, and the
 * codes of POSIX (errno) and Windows (Win32 and Winsock) that mean it. The last two columns are
 * expanded only where such codes exist: src/posix/error.c and src/win32/error.c. */
#ifndef ISOLOOP_ERROR_H
#define ISOLOOP_ERROR_H

#include "export.h"

ISO_BEGIN_DECLS

/* clang-format off */
/*  X(name, number, sentence, (errno...), (Win32 and WSA codes...)) */
#define ISO_ERROR_TABLE(X)                                                                         \
    X(EINVAL, -1, "an argument is not valid", (EINVAL, EDOM),                                      \
      (WSAEINVAL, ERROR_INVALID_PARAMETER, WSAEFAULT))                                             \
    X(ENOMEM, -2, "out of memory", (ENOMEM), (ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY))         \
    X(ECLOSED, -3, "it is closed", (0), (0))                                                       \
    X(ERUNNING, -4, "a loop is running here already", (0), (0))                                    \
    X(ESTOPPED, -5, "the loop stopped before the future was done", (0), (0))                       \
    X(ETHREAD, -6, "called from a thread that does not own the loop", (0), (0))                    \
    X(EFORKED, -7, "the loop belongs to the parent of this process", (0), (0))                     \
    X(ENOLOOP, -8, "there is no event loop in this thread", (0), (0))                              \
    X(ENOTSUP, -9, "this platform or kind of loop does not do that", (ENOTSUP, EOPNOTSUPP),        \
      (WSAEOPNOTSUPP, ERROR_NOT_SUPPORTED))                                                        \
    X(ELIMIT, -10, "a documented limit of this platform or kind of loop was reached", (0), (0))    \
    X(ECANCELED, -11, "the operation was cancelled", (ECANCELED),                                  \
      (ERROR_OPERATION_ABORTED, WSAECANCELLED, ERROR_REQUEST_ABORTED, 676 /* closed */))           \
    X(ETIMEDOUT, -12, "it took too long", (ETIMEDOUT), (WSAETIMEDOUT, ERROR_SEM_TIMEOUT))          \
    X(ENOENT, -13, "there is no such thing", (ENOENT, ENOTDIR),                                    \
      (ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND))                                                \
    X(EBUSY, -14, "it is in use by something else", (EBUSY),                                       \
      (ERROR_BUSY, ERROR_PIPE_BUSY, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION))                \
    X(EINVALIDSTATE, -15, "that cannot be done in this state", (0), (0))                           \
    X(EBADF, -16, "not an open descriptor", (EBADF), (WSAEBADF, ERROR_INVALID_HANDLE))             \
    X(ENOTSOCK, -17, "the descriptor is not a socket", (ENOTSOCK), (WSAENOTSOCK))                  \
    X(EREGULARFILE, -18, "a regular file is always ready and cannot be watched", (0), (0))         \
    X(EAGAIN, -19, "it would block", (EAGAIN, EWOULDBLOCK), (WSAEWOULDBLOCK))                      \
    X(EINPROGRESS, -20, "it is under way", (EINPROGRESS, EALREADY), (WSAEINPROGRESS, WSAEALREADY)) \
    X(EINTR, -21, "a signal came in between", (EINTR), (WSAEINTR))                                 \
    X(EMFILE, -22, "this process has no descriptor left", (EMFILE),                                \
      (WSAEMFILE, ERROR_TOO_MANY_OPEN_FILES))                                                      \
    X(ENFILE, -23, "this system has no descriptor left", (ENFILE), (0))                            \
    X(ENOBUFS, -24, "no buffer space is left", (ENOBUFS, ENOSPC),                                  \
      (WSAENOBUFS, ERROR_NO_SYSTEM_RESOURCES, ERROR_INSUFFICIENT_BUFFER,                           \
       ERROR_NOT_ENOUGH_QUOTA, ERROR_WORKING_SET_QUOTA, ERROR_PAGEFILE_QUOTA,                      \
       ERROR_COMMITMENT_LIMIT))                                                                    \
    X(EACCES, -25, "permission denied", (EACCES, EROFS), (WSAEACCES, ERROR_ACCESS_DENIED))         \
    X(EPERM, -26, "operation not permitted", (EPERM), (ERROR_PRIVILEGE_NOT_HELD))                  \
    X(EADDRINUSE, -27, "the address is in use", (EADDRINUSE),                                      \
      (WSAEADDRINUSE, ERROR_ADDRESS_ALREADY_ASSOCIATED, ERROR_DUP_NAME))                           \
    X(EADDRNOTAVAIL, -28, "the address is not one of this machine", (EADDRNOTAVAIL),               \
      (WSAEADDRNOTAVAIL))                                                                          \
    X(EAFNOSUPPORT, -29, "the address family is not supported", (EAFNOSUPPORT, EPROTONOSUPPORT),   \
      (WSAEAFNOSUPPORT, WSAEPROTONOSUPPORT))                                                       \
    X(ECONNREFUSED, -30, "connection refused", (ECONNREFUSED),                                     \
      (WSAECONNREFUSED, ERROR_CONNECTION_REFUSED, ERROR_PORT_UNREACHABLE, ERROR_REM_NOT_LIST))     \
    X(ECONNRESET, -31, "connection reset by peer", (ECONNRESET),                                   \
      (WSAECONNRESET, WSAENETRESET, ERROR_NETNAME_DELETED, ERROR_GRACEFUL_DISCONNECT))             \
    X(ECONNABORTED, -32, "connection aborted", (ECONNABORTED, EPROTO),                             \
      (WSAECONNABORTED, ERROR_CONNECTION_ABORTED, ERROR_UNEXP_NET_ERR))                            \
    X(EPIPE, -33, "the other end is closed", (EPIPE),                                              \
      (WSAESHUTDOWN, ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED,                   \
       ERROR_HANDLE_EOF))                                                                          \
    X(ENOTCONN, -34, "not connected", (ENOTCONN),                                                  \
      (WSAENOTCONN, ERROR_CONNECTION_INVALID))                                                     \
    X(EISCONN, -35, "connected already", (EISCONN),                                                \
      (WSAEISCONN, ERROR_CONNECTION_ACTIVE))                                                       \
    X(EHOSTUNREACH, -36, "no route to the host", (EHOSTUNREACH, EHOSTDOWN),                        \
      (WSAEHOSTUNREACH, WSAEHOSTDOWN, ERROR_HOST_UNREACHABLE))                                     \
    X(ENETUNREACH, -37, "the network cannot be reached", (ENETUNREACH, ENETDOWN),                  \
      (WSAENETUNREACH, WSAENETDOWN, ERROR_NETWORK_UNREACHABLE, ERROR_BAD_NETPATH,                  \
       ERROR_PROTOCOL_UNREACHABLE))                                                                \
    X(EMSGSIZE, -38, "the message is too long", (EMSGSIZE), (WSAEMSGSIZE, ERROR_MORE_DATA))        \
    X(EEXIST, -39, "it exists already", (EEXIST), (ERROR_ALREADY_EXISTS, ERROR_FILE_EXISTS))       \
    X(EIO, -40, "input or output failed", (EIO), (ERROR_IO_DEVICE, ERROR_GEN_FAILURE))             \
    X(ENONAME, -41, "the host name is not known", (0), (WSAHOST_NOT_FOUND, WSANO_DATA))            \
    X(ETRYNAME, -42, "the host name cannot be looked up just now", (0), (WSATRY_AGAIN))            \
    X(ENOTPIPE, -44, "the descriptor is not a pipe", (0), (0))                                     \
    X(ENOTOVERLAPPED, -45, "the handle was not opened for overlapped use", (0), (0))               \
    X(EFOREIGNPORT, -46, "the handle is tied to another completion port", (0), (0))                \
    X(ENOTTY, -47, "the descriptor is not a terminal", (ENOTTY), (0))                              \
    X(EBROKENPOOL, -50, "the pool is broken: the initializer of a thread failed", (0), (0))        \
    X(ENOSERVICE, -51, "the service is not known", (0), (WSATYPE_NOT_FOUND, WSASERVICE_NOT_FOUND)) \
    X(EFAILNAME, -52, "the name service failed", (0), (WSANO_RECOVERY))                            \
    X(EUNKNOWN, -43, "an error that has no name here", (0), (0))
/* clang-format on */

typedef enum iso_error {
    ISO_OK = 0,
#define ISO__ERROR_ENUM(name, number, sentence, posix, windows) ISO_##name = number,
    ISO_ERROR_TABLE(ISO__ERROR_ENUM)
#undef ISO__ERROR_ENUM
} iso_error;

/* The sentence of an error; "no error" for 0 and every count. Never NULL. Thread: any. */
ISO_API const char *iso_strerror(int error);

/* The name of an error, as "ISO_ECLOSED"; "ISO_OK" for 0 and every count. Never NULL. Thread:
 * any. */
ISO_API const char *iso_error_name(int error);

/* What a failed call had to add to its code: which backends there are, which option, argument or
 * path was wrong. To be asked right after a call failed whose contract names it, or that takes
 * options: the text is of the last call of this thread that had something to add, "" before.
 * Thread: any. */
ISO_API const char *iso_error_detail(void);

ISO_END_DECLS

#endif
