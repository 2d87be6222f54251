/* SPDX-License-Identifier: MIT */
#include "text.h"
#include <stdio.h>
#include <string.h>

static int failures;

static void expect(const char *got, const char *wanted)
{
    if (strcmp(got, wanted) == 0) return;
    fprintf(stderr, "'%s', not '%s'\n", got, wanted);
    failures++;
}

static void counts_have_commas(void)
{
    char text[TEXT_SIZE];
    expect(text_count(text, 0), "0");
    expect(text_count(text, 999), "999");
    expect(text_count(text, 1000), "1,000");
    expect(text_count(text, 1234567), "1,234,567");
    expect(text_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
}

static void spans_have_three_digits(void)
{
    char text[TEXT_SIZE];
    expect(text_span(text, -1), "0 ns");
    expect(text_span(text, 999), "999 ns");
    expect(text_span(text, 1000), "1.00 us");
    expect(text_span(text, 71449), "71.4 us");
    expect(text_span(text, 999499), "999 us");
    expect(text_span(text, 999500), "1.00 ms");
    expect(text_span(text, ISO_S(100)), "100 s");
    expect(text_span(text, ISO_S(86400)), "86400 s");
}

static void addresses_have_brackets_where_they_need_them(void)
{
    char text[TEXT_ADDRESS_SIZE];
    iso_address address = { 0 };
    expect(text_address(text, &address), "?");
    expect(iso_address_parse(&address, "127.0.0.1", 8888) == 0 ? text_address(text, &address) : "",
           "127.0.0.1:8888");
    expect(iso_address_parse(&address, "::1", 1) == 0 ? text_address(text, &address) : "",
           "[::1]:1");
}

int main(void)
{
    counts_have_commas();
    spans_have_three_digits();
    addresses_have_brackets_where_they_need_them();
    return failures != 0;
}
