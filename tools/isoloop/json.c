/* SPDX-License-Identifier: MIT */
#include "json.h"
#include <inttypes.h>
#include <stdio.h>

static void print_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte < 0x20)
            printf("\\u%04x", (unsigned)byte);
        else
            putchar(byte);
    }
    putchar('"');
}

/* What stands in front of every value: the comma, the line, the name. */
static void begin(json *of, const char *name)
{
    if (!of->first) putchar(',');
    if (of->depth > 0) printf("\n%*s", of->depth * 2, "");
    of->first = false;
    if (name != NULL) {
        print_text(name);
        printf(": ");
    }
}

void json_open(json *of, const char *name, char bracket)
{
    begin(of, name);
    putchar(bracket);
    of->depth++;
    of->first = true;
}

void json_close(json *of, char bracket)
{
    of->depth--;
    if (!of->first) printf("\n%*s", of->depth * 2, "");
    putchar(bracket);
    of->first = false;
    if (of->depth == 0) putchar('\n');
}

void json_text(json *of, const char *name, const char *value)
{
    begin(of, name);
    if (value != NULL)
        print_text(value);
    else
        printf("null");
}

void json_count(json *of, const char *name, uint64_t value)
{
    begin(of, name);
    printf("%" PRIu64, value);
}

void json_real(json *of, const char *name, double value)
{
    begin(of, name);
    printf("%.6f", value);
}

void json_bool(json *of, const char *name, bool value)
{
    begin(of, name);
    printf(value ? "true" : "false");
}
