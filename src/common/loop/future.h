/* SPDX-License-Identifier: MIT */
/* The inside of a future, for the operations that end in one. */
#ifndef ISO_LOOP_FUTURE_H
#define ISO_LOOP_FUTURE_H

#include "isoloop/future.h"
#include "loop/object.h"

typedef enum iso__future_state {
    ISO__FUTURE_PENDING = 0,
    ISO__FUTURE_RESULT,
    ISO__FUTURE_ERROR,
    ISO__FUTURE_CANCELLED
} iso__future_state;

struct iso_future {
    iso__object object;
    iso__future_state state;
    int error;
    bool is_asked; /* somebody has seen the error */
    void *result;
    intptr_t number;
    iso__link callbacks;
    iso__object *owned;              /* the result, when it is an object of the library's, */
    size_t owned_bytes;              /* or memory of this size, if not 0 */
    void (*cancel)(void *operation); /* end what is under way: the user cancelled */
    void *operation;
    iso_attempt *attempts;
    size_t attempt_count;
    size_t attempt_capacity;
};

/* The future of an operation that is under way: `cancel` is called when the user cancels; the
 * future has ended then, and the operation gives its reference back. The operation owns the
 * reference in *out. Returns 0, ISO_ENOMEM, ISO_ECLOSED or ISO_ETHREAD. */
int iso__future_start(iso_loop *loop, void (*cancel)(void *operation), void *operation,
                      iso_future **out);

/* Hand a second reference to the caller, if he wants one. */
void iso__future_give(iso_future *future, iso_future **out);

/* Cancel it, and end the operation: what iso_future_cancel does, and a loop that closes. */
void iso__future_abandon(iso_future *future);

/* Whether anybody would learn of a result, and can take charge of what it is. */
bool iso__future_is_awaited(const iso_future *future);

/* End it: the operation is over, and gives its reference back. A future that has ended stays as it
 * is. With a result that the future shares a reference of; with `number` and memory that it owns
 * from here on, or NULL; with a number; with a number and a pointer of the program's; with an
 * error, 0 meaning none. */
void iso__future_end_object(iso_future *future, iso__object *result);
void iso__future_end_memory(iso_future *future, void *memory, size_t bytes, size_t used);
void iso__future_end_number(iso_future *future, intptr_t number);
void iso__future_end_result(iso_future *future, intptr_t number, void *result);
void iso__future_end_error(iso_future *future, int error);

/* Take a callback off again, also one that is on its way: it is not called any more. */
void iso__future_withdraw_callback(iso_future *future, iso_future_callback callback, void *arg);

/* Note an attempt that failed. For want of memory it is left out. */
void iso__future_add_attempt(iso_future *future, const iso_address *address, int error);

#endif
