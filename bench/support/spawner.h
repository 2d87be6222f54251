/* SPDX-License-Identifier: MIT */
/* What the system itself offers to start a program with, to compare with. */
#ifndef SUPPORT_SPAWNER_H
#define SUPPORT_SPAWNER_H

/* Start argv[0], a path, without standard streams of its own, and wait for its end; answers whether
 * it ended with 0. */
typedef struct spawner {
    const char *name;
    int (*run)(const char *const *argv);
} spawner;

/* A NULL name at the end. */
extern const spawner spawners[];

/* A program that does nothing; NULL: there is none at a place that is known. */
const char *spawner_program(void);

#endif
