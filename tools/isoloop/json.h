/* SPDX-License-Identifier: MIT */
/* JSON, written as it comes to standard output: two spaces per level, commas by themselves. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>

typedef struct json {
    int depth;
    bool first; /* nothing stands in the open object or array yet */
} json;

#define JSON_INIT                                                                                  \
    {                                                                                              \
        0, true                                                                                    \
    }

/* `name` is NULL in an array, and for the outermost value. */
void json_open(json *of, const char *name, char bracket); /* '{' or '[' */
void json_close(json *of, char bracket); /* '}' or ']'; the last one ends the line */
void json_text(json *of, const char *name, const char *value); /* NULL: null */
void json_count(json *of, const char *name, uint64_t value);
void json_real(json *of, const char *name, double value);
void json_bool(json *of, const char *name, bool value);

#endif
