/* SPDX-License-Identifier: MIT */
/* The writing side of a descriptor, lent by who serves it (a socket of a program's own, or a
 * transport) to who has something else to send than memory: a file. Thread: loop, throughout. */
#ifndef ISO_LOOP_LOAN_H
#define ISO_LOOP_LOAN_H

#include "engine/op.h"
#include "isoloop/loop.h"

typedef struct iso__loan iso__loan;

/* What the borrower embeds. He sets the two functions, the lender `io`. While he has the loan the
 * one-shot operations of the driver on that io are his. */
struct iso__loan {
    /* What was to be sent before is sent: he may begin. Called from a turn. */
    void (*granted)(iso__loan *loan);
    /* It is over: the lender ends, with `error`, never 0. He withdraws what he has under way within
     * the call, and gives nothing back. */
    void (*revoked)(iso__loan *loan, int error);
    iso__io *io;
};

/* Borrow the writing side of a socket of the program's own: granted when this returns 0. And give
 * it back.
 * Returns 0, or what iso_loop_sock_sendall answers; nothing is lent then. */
int iso__sock_borrow(iso_loop *loop, iso_fd fd, iso__loan *loan);
void iso__sock_give_back(iso__loan *loan);

#endif
