/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "kit.h"

#include <string.h>

typedef struct listener {
    iso_log_level level;
    size_t length;
    char line[600];
    int lines;
} listener;

static void listen_to(void *context, iso_log_level level, const char *message)
{
    listener *self = context;

    self->level = level;
    self->length = strlen(message);
    if (self->length < sizeof(self->line)) memcpy(self->line, message, self->length + 1);
    self->lines++;
}

KIT_TEST(a_line_is_formatted_and_handed_over_with_its_level)
{
    listener heard = { ISO_LOG_DEBUG, 0, "", 0 };
    iso__logger log = { listen_to, &heard };

    iso__log(&log, ISO_LOG_ERROR, "%s took %.3f seconds", "it", 0.25);
    CHECK_EQ(heard.lines, 1);
    CHECK_EQ(heard.level, ISO_LOG_ERROR);
    CHECK_STR(heard.line, "it took 0.250 seconds");
    iso__log(&log, ISO_LOG_WARNING, "%s", "again");
    CHECK_EQ(heard.level, ISO_LOG_WARNING);
    CHECK_EQ(heard.lines, 2);
}

KIT_TEST(a_long_line_is_cut_off)
{
    listener heard = { ISO_LOG_DEBUG, 0, "", 0 };
    iso__logger log = { listen_to, &heard };
    char words[2000];

    memset(words, 'x', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    iso__log(&log, ISO_LOG_WARNING, "%s", words);
    CHECK_LE(heard.length, 511);
    CHECK_GE(heard.length, 255);
}

static const kit_case cases[] = {
    KIT_CASE(a_line_is_formatted_and_handed_over_with_its_level),
    KIT_CASE(a_long_line_is_cut_off),
};

KIT_MAIN(cases)
