/* SPDX-License-Identifier: MIT */
#include "latency.h"
#include <stdio.h>

static int failures;

static void expect_near(const char *what, iso_nsec got, iso_nsec wanted)
{
    const double error = (double)got - (double)wanted;
    const double bound = 0.008 * (double)wanted;
    if (error <= bound && error >= -bound) return;
    fprintf(stderr, "%s: %lld, not %lld\n", what, (long long)got, (long long)wanted);
    failures++;
}

static void an_empty_one_answers_zero(void)
{
    static latency of;
    expect_near("median of none", latency_percentile(&of, 0.5), 0);
}

static void one_value_is_every_percentile(void)
{
    static const iso_nsec values[] = {
        0, 1, 63, 64, 127, 128, 1000, 999999, ISO_S(100), INT64_MAX
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        latency of = { 0 };
        latency_add(&of, values[i]);
        expect_near("p0", latency_percentile(&of, 0.0), values[i]);
        expect_near("p50", latency_percentile(&of, 0.5), values[i]);
        expect_near("p100", latency_percentile(&of, 1.0), values[i]);
    }
}

static void percentiles_split_the_values(void)
{
    static latency of;
    for (iso_nsec i = 1; i <= 100000; i++) latency_add(&of, i);
    expect_near("p1", latency_percentile(&of, 0.01), 1000);
    expect_near("p50", latency_percentile(&of, 0.5), 50000);
    expect_near("p99", latency_percentile(&of, 0.99), 99000);
    expect_near("p100", latency_percentile(&of, 1.0), 100000);
}

static void a_clock_that_went_back_counts_as_zero(void)
{
    static latency of;
    latency_add(&of, -5);
    expect_near("p100", latency_percentile(&of, 1.0), 0);
}

int main(void)
{
    an_empty_one_answers_zero();
    one_value_is_every_percentile();
    percentiles_split_the_values();
    a_clock_that_went_back_counts_as_zero();
    return failures != 0;
}
