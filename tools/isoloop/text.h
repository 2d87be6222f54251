/* SPDX-License-Identifier: MIT */
/* Numbers as people read them. Each function writes into `out`, of TEXT_SIZE bytes, and returns
 * it. */
#ifndef TEXT_H
#define TEXT_H

#include <isoloop.h>

#define TEXT_SIZE 32

/* 1234567 as "1,234,567". */
const char *text_count(char *out, uint64_t count);

/* A span of time with three digits and its unit: "71.4 us", "1.20 ms", "12.3 s". */
const char *text_span(char *out, iso_nsec span);

/* "127.0.0.1:8888", "[::1]:8888": TEXT_ADDRESS_SIZE bytes; "?" when it can't be told. */
#define TEXT_ADDRESS_SIZE 80
const char *text_address(char *out, const iso_address *address);

#endif
