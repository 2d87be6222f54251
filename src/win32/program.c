/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include "sys/error.h"

#include <string.h>
#include <wchar.h>

/* ---- paths ---- */

static bool is_separator(WCHAR unit)
{
    return unit == L'\\' || unit == L'/';
}

bool iso__path_is_absolute(const WCHAR *path)
{
    if (is_separator(path[0])) return is_separator(path[1]);
    return path[0] != L'\0' && path[1] == L':' && is_separator(path[2]);
}

/* `path` seen from a folder, an absolute one: "\x" is on its drive, "C:x" below it if that is its
 * drive, and else where this process is on drive C. */
static void join(iso__wide *out, const WCHAR *folder, const WCHAR *path)
{
    bool on_drive = path[0] != L'\0' && path[1] == L':';

    iso__wide_clear(out);
    if (is_separator(path[0])) {
        if (folder[1] == L':') iso__wide_add(out, folder, 2);
    } else if (!on_drive || _wcsnicmp(path, folder, 2) == 0) {
        iso__wide_append(out, folder);
        iso__wide_push(out, L'\\');
        if (on_drive) path += 2;
    }
    iso__wide_append(out, path);
}

int iso__path_resolve(iso__wide *out, const WCHAR *folder, const WCHAR *path)
{
    iso__wide joined;
    DWORD room = 0;
    DWORD length;
    int rc = 0;

    iso__wide_init(&joined, out->allocator);
    if (folder != NULL && !iso__path_is_absolute(path)) {
        join(&joined, folder, path);
        rc = iso__wide_check(&joined);
        if (rc != 0) goto done;
        path = joined.text;
    }
    iso__wide_clear(out);
    length = GetFullPathNameW(path, 0, NULL, NULL); /* with the zero, as long as it lacks room */
    while (length > room && iso__wide_reserve(out, length)) {
        room = length;
        length = GetFullPathNameW(path, room, out->text, NULL);
    }
    rc = iso__wide_check(out);
    if (rc == 0 && length == 0) rc = iso__sys_error((int)GetLastError());
    if (rc == 0) out->length = length;
done:
    iso__wide_free(&joined);
    return rc;
}

/* ---- looking for the program ----
 *
 * CreateProcess would look beside this program, in the current folder and in the system's folders,
 * before PATH. Here a name without a folder is looked up in PATH and nowhere else, as on POSIX:
 * what lies in the current folder by chance is not run. What CreateProcess can run without the
 * shell has the extension .com or .exe; a name with an extension of its own is tried as it is
 * first, and one that ends with a dot only so. A batch file is only found by its whole name.
 * Source: CreateProcess, lpApplicationName; libuv, search_path. */

typedef struct search {
    const WCHAR *folder; /* where the child will be; NULL: where this process is */
    const WCHAR *name;
    iso__wide stem;   /* the path that is tried next, but for the extension */
    iso__wide *found; /* absolute */
} search;

/* Returns 0; ISO_ENOENT: the search goes on; ISO_ENOMEM. */
static int try_extension(search *self, const WCHAR *extension)
{
    size_t length = self->stem.length;
    DWORD attributes;
    int rc;

    iso__wide_append(&self->stem, extension);
    rc = iso__wide_check(&self->stem);
    if (rc != 0) return rc;
    rc = iso__path_resolve(self->found, self->folder, self->stem.text);
    self->stem.length = length;
    if (rc != 0) return rc == ISO_ENOMEM ? rc : ISO_ENOENT;
    attributes = GetFileAttributesW(self->found->text);
    return attributes == INVALID_FILE_ATTRIBUTES || (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0
               ? ISO_ENOENT
               : 0;
}

static const WCHAR *name_of(const WCHAR *path)
{
    const WCHAR *name = path;

    for (; *path != L'\0'; path++) {
        if (is_separator(*path) || *path == L':') name = path + 1;
    }
    return name;
}

static int try_stem(search *self)
{
    const WCHAR *dot = wcsrchr(name_of(self->name), L'.');
    int rc = ISO_ENOENT;

    if (dot != NULL) rc = try_extension(self, L"");
    if (dot != NULL && dot[1] == L'\0') return rc;
    if (rc == ISO_ENOENT) rc = try_extension(self, L".com");
    if (rc == ISO_ENOENT) rc = try_extension(self, L".exe");
    return rc;
}

/* The next folder of a PATH, without quotes. Answers where the rest begins. */
static const WCHAR *take_folder(iso__wide *out, const WCHAR *path)
{
    bool in_quotes = false;

    iso__wide_clear(out);
    for (; *path != L'\0' && (in_quotes || *path != L';'); path++) {
        if (*path == L'"')
            in_quotes = !in_quotes;
        else
            iso__wide_push(out, *path);
    }
    return *path == L';' ? path + 1 : path;
}

static int search_path(search *self, const WCHAR *path)
{
    int rc = ISO_ENOENT;

    while (rc == ISO_ENOENT && *path != L'\0') {
        path = take_folder(&self->stem, path);
        if (self->stem.failed) return ISO_ENOMEM;
        if (self->stem.length == 0) continue;
        iso__wide_push(&self->stem, L'\\');
        iso__wide_append(&self->stem, self->name);
        rc = try_stem(self);
    }
    return rc;
}

/* A path is tried as it is too, in the end, since somebody meant exactly that. */
static int search_folder(search *self)
{
    int rc;

    iso__wide_append(&self->stem, self->name);
    rc = try_stem(self);
    return rc == ISO_ENOENT ? try_extension(self, L"") : rc;
}

int iso__program_find(iso__wide *out, const WCHAR *name, const WCHAR *folder, const WCHAR *path)
{
    search it;
    int rc;

    if (*name == L'\0') return ISO_ENOENT;
    it.folder = folder;
    it.name = name;
    it.found = out;
    iso__wide_init(&it.stem, out->allocator);
    rc = name_of(name) == name ? search_path(&it, path) : search_folder(&it);
    iso__wide_free(&it.stem);
    return rc;
}
