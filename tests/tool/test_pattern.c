/* SPDX-License-Identifier: MIT */
#include "pattern.h"
#include <stdio.h>
#include <string.h>

#define SIZE 300000u

static int failures;

static void expect(const char *what, int holds)
{
    if (holds) return;
    fprintf(stderr, "not so: %s\n", what);
    failures++;
}

static void messages_follow_each_other(const pattern *of)
{
    const unsigned char *whole = pattern_at(of, 7, 0);
    expect("a message goes on where the one before ended",
           memcmp(pattern_at(of, 7, 1000), whole + 1000, 5000) == 0);
    expect("a position beyond the ring has its bytes",
           memcmp(pattern_at(of, 7, 65521u * 3 + 11), whole + 11, 5000) == 0);
}

static void connections_differ(const pattern *of)
{
    int same = 0;
    for (uint64_t i = 0; i < 60000; i++) {
        for (uint64_t next = i + 1; next < i + 3; next++)
            same += memcmp(pattern_at(of, i, 0), pattern_at(of, next, 0), 16) == 0;
    }
    expect("neighbours send different bytes", same == 0);
}

static void a_difference_is_found_where_it_is(const pattern *of)
{
    static unsigned char got[SIZE];
    static const size_t places[] = { 0, 1, 4095, 65520, 65521, SIZE - 1 };
    const unsigned char *sent = pattern_at(of, 3, 65520);
    memcpy(got, sent, SIZE);
    expect("no difference", pattern_compare(sent, got, SIZE) == SIZE);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        got[places[i]] ^= 1;
        expect("one difference", pattern_compare(sent, got, SIZE) == places[i]);
        got[places[i]] ^= 1;
    }
}

int main(void)
{
    pattern of;
    if (pattern_make(&of, SIZE) != 0) return 1;
    messages_follow_each_other(&of);
    connections_differ(&of);
    a_difference_is_found_where_it_is(&of);
    pattern_free(&of);
    return failures != 0;
}
