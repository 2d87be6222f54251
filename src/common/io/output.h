/* SPDX-License-Identifier: MIT */
/* What a transport could not send yet, and the operation that sends it. It exists only while there
 * is such; when its transport ends, it stays for as long as the kernel holds it. */
#ifndef ISO_IO_OUTPUT_H
#define ISO_IO_OUTPUT_H

#include "base/buffer.h"
#include "engine/op.h"
#include "isoloop/loop.h"
#include "sys/sock.h"

/* The first bytes lie in the output itself, so that one of a driver that gathers what is written in
 * a turn needs no other memory for small messages; the rest in the queue. */
enum { ISO__OUTPUT_SMALL = 1536 };

typedef struct iso__output {
    iso__op op;
    iso_loop *loop;
    iso__byte_queue queue;
    size_t begin; /* of what is left in `small` */
    size_t end;
    iso_buffer pieces[ISO__SYS_SENDV_MAX]; /* the front of it all, lent to the driver */
    unsigned char small[ISO__OUTPUT_SMALL];
} iso__output;

/* An empty one; NULL: out of memory. The caller sets op.io and op.done. */
iso__output *iso__output_new(iso_loop *loop);
void iso__output_free(iso__output *output);

/* How many bytes there are. */
static inline size_t iso__output_size(const iso__output *output)
{
    return output->queue.size + (output->end - output->begin);
}

/* Copy all pieces, past the first `skip` bytes of them, to the end. What is lent stays where it is.
 * Returns 0, or ISO_ENOMEM with the output as it was. */
int iso__output_append(iso__output *output, const iso_buffer *list, size_t count, size_t skip);

/* Have the operation send what is at the front. */
void iso__output_aim(iso__output *output);

/* Take the first `size` bytes off. */
void iso__output_take(iso__output *output, size_t size);

#endif
