/* SPDX-License-Identifier: MIT */
/* What was to be expected of a row of the limits table, what was got, and whether the two agree. */
#ifndef PROBE_JUDGE_H
#define PROBE_JUDGE_H

#include <isoloop.h>

#define PROBE_TEXT_SIZE 240

/* What a row makes one expect. */
typedef enum probe_way {
    PROBE_REFUSED, /* it is enforced: the call that breaks it is refused */
    PROBE_WORKS,   /* it is not: the call does what it is for */
    PROBE_SYSTEM   /* even "native" enforces it: the system underneath can't */
} probe_way;

typedef enum probe_verdict { PROBE_OK, PROBE_FAILED, PROBE_NOT_TRIED } probe_verdict;

/* Whether what a try needs could be had. */
typedef enum probe_ready {
    PROBE_READY,
    PROBE_ABSENT, /* this system has no such thing: completion ports, terminals */
    PROBE_SCANT,  /* it has, but too few of them for this process: descriptors */
    PROBE_BROKEN  /* it has, and it failed */
} probe_ready;

/* What is open at a moment. */
typedef struct probe_count {
    uint32_t objects;
    uint32_t registered;
    int descriptors; /* of the process */
} probe_count;

/* What one try has come to. */
typedef struct probe_got {
    probe_ready ready;
    int error;                  /* what the call, or the work, answered */
    iso_limit met;              /* the row that the loop named; id NULL: none */
    int64_t used;               /* what it had to say of how much is used; below zero: nothing */
    probe_count before;         /* the call */
    probe_count after;          /* it */
    int left_open;              /* descriptors, when the loop was closed too */
    bool wrote_out;             /* the call wrote its result, although it failed */
    bool goes_on;               /* a callback ran afterwards */
    bool can;                   /* PROBE_SYSTEM: the system can do it */
    bool may_lack_things;       /* the row speaks of another platform, whose things may be absent */
    char note[PROBE_TEXT_SIZE]; /* what happened, if it is worth a word */
} probe_got;

/* Compare. Writes what was got, as a sentence, into `text` (of PROBE_TEXT_SIZE bytes). */
probe_verdict probe_judge(probe_way way, const iso_limit *row, const probe_got *got, char *text);

#endif
