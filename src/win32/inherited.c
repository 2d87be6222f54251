/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "spawn.h"
#include "sys/descriptor.h"
#include "sys/error.h"

#include <string.h>

static int last_error(void)
{
    return iso__sys_error((int)GetLastError());
}

static int open_null(HANDLE *out, size_t which)
{
    SECURITY_ATTRIBUTES inherited = { sizeof(inherited), NULL, TRUE };
    DWORD access = which == 0 ? GENERIC_READ : GENERIC_WRITE | FILE_READ_ATTRIBUTES;

    *out = CreateFileW(L"NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                       OPEN_EXISTING, 0, NULL);
    return *out == INVALID_HANDLE_VALUE ? last_error() : 0;
}

/* Before anything is opened, which could get the number of one that was closed. */
static int check_open(const iso__spawn *spawn)
{
    size_t which;

    for (which = 0; which < ISO__STREAMS; which++) {
        if (spawn->stdio[which] != ISO_FD_NONE && !iso__sys_descriptor_is_open(spawn->stdio[which]))
            return ISO_EBADF;
    }
    for (which = 0; which < spawn->pass_count; which++) {
        if (!iso__sys_descriptor_is_open(spawn->pass[which].fd)) return ISO_EBADF;
    }
    return 0;
}

static int duplicate(iso__inherited *self, HANDLE *out, iso_fd fd)
{
    HANDLE process = GetCurrentProcess();

    if (!DuplicateHandle(process, (HANDLE)fd, process, out, 0, TRUE, DUPLICATE_SAME_ACCESS))
        return last_error();
    self->list[self->count++] = *out;
    return 0;
}

static int open_stream(iso__inherited *self, const iso_fd *stdio, size_t which)
{
    HANDLE *out = &self->stdio[which];
    size_t before;
    int rc;

    for (before = 0; before < which; before++) {
        if (stdio[which] == ISO_FD_NONE || stdio[before] != stdio[which]) continue;
        *out = self->stdio[before];
        return 0;
    }
    if (stdio[which] != ISO_FD_NONE) return duplicate(self, out, stdio[which]);
    rc = open_null(out, which);
    if (rc == 0) self->list[self->count++] = *out;
    return rc;
}

/* ---- the numbers ----
 *
 * The C runtime of Microsoft takes the numbers of its descriptors from a block that its parent put
 * into STARTUPINFO.lpReserved2: how many there are, a byte of flags for each, a handle for each.
 * The standard streams are not open there: for them it looks at STARTUPINFO.
 * Source: the runtime's lowio/ioinit.cpp; libuv, src/win/process-stdio.c. */

enum {
    MOST_NUMBERS = 256, /* libuv's limit, too */
    FLAG_OPEN = 0x01,
    FLAG_PIPE = 0x08,
    FLAG_DEVICE = 0x40
};

static BYTE flags_of(HANDLE handle)
{
    switch (GetFileType(handle)) {
    case FILE_TYPE_DISK: return FLAG_OPEN;
    case FILE_TYPE_CHAR: return FLAG_OPEN | FLAG_DEVICE;
    default: return FLAG_OPEN | FLAG_PIPE; /* a socket, too */
    }
}

static void put_handle(iso__inherited *self, int count, int number, HANDLE handle)
{
    memcpy(self->block + sizeof(int) + (size_t)count + (size_t)number * sizeof(HANDLE), &handle,
           sizeof(HANDLE));
}

static int make_block(iso__inherited *self, const iso__spawn *spawn)
{
    size_t bytes;
    int count = 0;
    size_t at;
    int number;

    for (at = 0; at < spawn->pass_count; at++) {
        number = spawn->pass[at].number;
        if (number >= MOST_NUMBERS)
            return iso__error_set(ISO_EINVAL,
                                  "a program can't have a descriptor with the number %d", number);
        if (number >= count) count = number + 1;
    }
    if (count == 0) return 0;
    bytes = sizeof(int) + (size_t)count * (1 + sizeof(HANDLE));
    self->block = iso__alloc_zero(self->allocator, bytes);
    if (self->block == NULL) return ISO_ENOMEM;
    self->block_bytes = (WORD)bytes;
    memcpy(self->block, &count, sizeof(count));
    for (number = 0; number < count; number++)
        put_handle(self, count, number, INVALID_HANDLE_VALUE);
    return 0;
}

static int pass(iso__inherited *self, const iso__spawn *spawn)
{
    int rc = make_block(self, spawn);
    size_t at;

    for (at = 0; rc == 0 && at < spawn->pass_count; at++) {
        HANDLE copy = NULL;
        int count;

        rc = duplicate(self, &copy, spawn->pass[at].fd);
        if (rc != 0) break;
        memcpy(&count, self->block, sizeof(count));
        self->block[sizeof(int) + (size_t)spawn->pass[at].number] = flags_of(copy);
        put_handle(self, count, spawn->pass[at].number, copy);
    }
    return rc;
}

int iso__inherited_open(iso__inherited *self, const iso_allocator *allocator,
                        const iso__spawn *spawn)
{
    size_t which;
    int rc = check_open(spawn);

    if (rc != 0) return rc;
    memset(self, 0, sizeof(*self));
    self->allocator = allocator;
    self->room = ISO__STREAMS + spawn->pass_count;
    self->list = iso__alloc(allocator, self->room * sizeof(HANDLE));
    if (self->list == NULL) return ISO_ENOMEM;
    for (which = 0; rc == 0 && which < ISO__STREAMS; which++)
        rc = open_stream(self, spawn->stdio, which);
    if (rc == 0) rc = pass(self, spawn);
    if (rc != 0) iso__inherited_close(self);
    return rc;
}

void iso__inherited_close(iso__inherited *self)
{
    while (self->count > 0) (void)CloseHandle(self->list[--self->count]);
    iso__free(self->allocator, self->list, self->room * sizeof(HANDLE));
    iso__free(self->allocator, self->block, self->block_bytes);
}

bool iso__inherited_has_console(const iso__inherited *self)
{
    DWORD mode;
    DWORD at;

    for (at = 0; at < self->count; at++) {
        if (GetConsoleMode(self->list[at], &mode)) return true;
    }
    return false;
}
