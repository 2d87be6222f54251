/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "kit.h"
#include "support/kit_os.h"
#include "sys/error.h"

#include <string.h>

typedef struct row {
    const char *name;
    int number;
    const char *sentence;
} row;

static const row rows[] = {
#define ROW(name, number, sentence, posix, windows) { "ISO_" #name, ISO_##name, sentence },
    ISO_ERROR_TABLE(ROW)
#undef ROW
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

KIT_TEST(every_error_has_a_name_and_a_sentence)
{
    size_t at;

    for (at = 0; at < ROWS; at++) {
        CHECK_STR(iso_error_name(rows[at].number), rows[at].name);
        CHECK_STR(iso_strerror(rows[at].number), rows[at].sentence);
        CHECK(strlen(rows[at].sentence) > 5);
    }
}

KIT_TEST(every_number_and_every_sentence_is_there_once)
{
    size_t a;
    size_t b;

    for (a = 0; a < ROWS; a++) {
        CHECK_LE(rows[a].number, -1);
        for (b = 0; b < a; b++) {
            CHECK(rows[a].number != rows[b].number);
            CHECK(strcmp(rows[a].sentence, rows[b].sentence) != 0);
        }
    }
}

/* Programs that were built with an older header go on to understand a newer library. */
KIT_TEST(numbers_stay_what_they_are)
{
    CHECK_EQ(ISO_EINVAL, -1);
    CHECK_EQ(ISO_ENOMEM, -2);
    CHECK_EQ(ISO_ECLOSED, -3);
    CHECK_EQ(ISO_ERUNNING, -4);
    CHECK_EQ(ISO_ESTOPPED, -5);
    CHECK_EQ(ISO_ETHREAD, -6);
    CHECK_EQ(ISO_EFORKED, -7);
    CHECK_EQ(ISO_ENOLOOP, -8);
    CHECK_EQ(ISO_ENOTSUP, -9);
    CHECK_EQ(ISO_ELIMIT, -10);
    CHECK_EQ(ISO_ECANCELED, -11);
    CHECK_EQ(ISO_EINVALIDSTATE, -15);
    CHECK_EQ(ISO_EBADF, -16);
    CHECK_EQ(ISO_ENOTSOCK, -17);
    CHECK_EQ(ISO_EREGULARFILE, -18);
    CHECK_EQ(ISO_ECONNREFUSED, -30);
    CHECK_EQ(ISO_EUNKNOWN, -43);
    CHECK_EQ(ISO_ENOTPIPE, -44);
    CHECK_EQ(ISO_ENOTOVERLAPPED, -45);
    CHECK_EQ(ISO_EFOREIGNPORT, -46);
    CHECK_EQ(ISO_ENOTTY, -47);
    CHECK_EQ(ISO_EBROKENPOOL, -50);
    CHECK_EQ(ISO_ENOSERVICE, -51);
    CHECK_EQ(ISO_EFAILNAME, -52);
    CHECK_EQ(ROWS, 50);
}

KIT_TEST(no_error_is_said_of_zero_and_of_counts)
{
    CHECK_STR(iso_strerror(0), "no error");
    CHECK_STR(iso_strerror(17), "no error");
    CHECK_STR(iso_error_name(0), "ISO_OK");
    CHECK_STR(iso_error_name(17), "ISO_OK");
}

KIT_TEST(a_number_that_is_no_error_is_answered_too)
{
    CHECK_STR(iso_strerror(-100000), "not an error of this library");
    CHECK_STR(iso_error_name(-100000), "ISO_E?");
}

KIT_TEST(the_detail_is_kept_until_the_next_one)
{
    /* given a failure with something to add */
    CHECK_RC(iso__error_set(ISO_EINVAL, "there are %d of %s", 3, "them"), ISO_EINVAL);
    /* then it can be asked for, more than once */
    CHECK_STR(iso_error_detail(), "there are 3 of them");
    CHECK_STR(iso_error_detail(), "there are 3 of them");
    /* and is replaced by the next one */
    (void)iso__error_set(ISO_EINVAL, "another");
    CHECK_STR(iso_error_detail(), "another");
}

KIT_TEST(a_long_detail_is_cut_off)
{
    char words[2000];

    memset(words, 'x', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    (void)iso__error_set(ISO_EINVAL, "%s", words);
    CHECK_LE(strlen(iso_error_detail()), 511);
    CHECK_GE(strlen(iso_error_detail()), 255);
}

static void look_at_detail(void *arg)
{
    CHECK_STR(iso_error_detail(), "");
    (void)iso__error_set(ISO_EINVAL, "of the other thread");
    kit_gate_open(arg);
}

KIT_TEST(each_thread_has_its_own_detail)
{
    kit_gate *said = kit_gate_new(k);

    /* given a detail in this thread */
    (void)iso__error_set(ISO_EINVAL, "of this thread");
    /* when another one has its own */
    kit_thread(k, look_at_detail, said);
    kit_gate_wait(said);
    /* then this one's is as it was */
    CHECK_STR(iso_error_detail(), "of this thread");
}

KIT_TEST(codes_of_the_system_become_errors_of_the_library)
{
    const kit_os_code *at;

    for (at = kit_os_codes; at->native != 0; at++) CHECK_RC(iso__sys_error(at->native), at->error);
    CHECK(at - kit_os_codes > 20);
}

KIT_TEST(an_unknown_code_of_the_system_is_unknown)
{
    CHECK_RC(iso__sys_error(0), ISO_EUNKNOWN);
    CHECK_RC(iso__sys_error(-1), ISO_EUNKNOWN);
    CHECK_RC(iso__sys_error(987654), ISO_EUNKNOWN);
}

static const kit_case cases[] = {
    KIT_CASE(every_error_has_a_name_and_a_sentence),
    KIT_CASE(every_number_and_every_sentence_is_there_once),
    KIT_CASE(numbers_stay_what_they_are),
    KIT_CASE(no_error_is_said_of_zero_and_of_counts),
    KIT_CASE(a_number_that_is_no_error_is_answered_too),
    KIT_CASE(the_detail_is_kept_until_the_next_one),
    KIT_CASE(a_long_detail_is_cut_off),
    KIT_CASE(each_thread_has_its_own_detail),
    KIT_CASE(codes_of_the_system_become_errors_of_the_library),
    KIT_CASE(an_unknown_code_of_the_system_is_unknown),
};

KIT_MAIN(cases)
