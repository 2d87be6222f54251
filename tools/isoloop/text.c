/* SPDX-License-Identifier: MIT */
#include "text.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *text_count(char *out, uint64_t count)
{
    char digits[TEXT_SIZE];
    const int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    char *to = out;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

const char *text_span(char *out, iso_nsec span)
{
    static const char *const units[] = { "ns", "us", "ms", "s" };
    double value = span > 0 ? (double)span : 0.0;
    size_t unit = 0;
    while (value >= 999.5 && unit < 3) {
        value /= 1000.0;
        unit++;
    }
    const int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(out, TEXT_SIZE, "%.*f %s", decimals, value, units[unit]);
    return out;
}

const char *text_address(char *out, const iso_address *address)
{
    char host[64];
    if (iso_address_host(address, host, sizeof(host)) != 0) {
        memcpy(out, "?", 2);
        return out;
    }
    const char *const format = iso_address_version(address) == 6 ? "[%s]:%u" : "%s:%u";
    snprintf(out, TEXT_ADDRESS_SIZE, format, host, (unsigned)iso_address_port(address));
    return out;
}
