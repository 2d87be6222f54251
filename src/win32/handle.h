/* SPDX-License-Identifier: MIT */
/* What a handle can be asked. */
#ifndef ISO_WIN32_HANDLE_H
#define ISO_WIN32_HANDLE_H

#include "sockets.h"

#include <winternl.h>

/* Microsoft's <winternl.h> does not declare it; ntdll.lib has it. */
NTSTATUS NTAPI NtQueryInformationFile(HANDLE file, PIO_STATUS_BLOCK status, PVOID information,
                                      ULONG size, FILE_INFORMATION_CLASS kind);

#ifndef STATUS_BUFFER_OVERFLOW
#define STATUS_BUFFER_OVERFLOW ((NTSTATUS)0x80000005L)
#endif

/* Whether it was opened for overlapped use; false for one that is not open. Thread: any.
 * Source: NtQueryInformationFile, FileModeInformation. */
bool iso__handle_is_overlapped(HANDLE handle);

#endif
