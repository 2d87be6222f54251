/* SPDX-License-Identifier: MIT */
/* Where threads post to a loop that they may outlive. The port is memory of malloc's that the loop,
 * and what is under way in threads, share; closing the loop shuts it, and who comes later finds it
 * shut. In a steady state only threads take its lock. */
#ifndef ISO_LOOP_PORT_H
#define ISO_LOOP_PORT_H

#include "engine/op.h"
#include "isoloop/loop.h"

typedef struct iso__port iso__port;

/* The loop's port, made when it is first wanted; *out is one more reference, the caller's. Returns
 * 0 or ISO_ENOMEM. Thread: loop. */
int iso__port_of(iso_loop *loop, iso__port **out);

/* Give a reference back. Thread: any. */
void iso__port_release(iso__port *port);

/* Hand a node to the loop. Answers whether it was taken: it runs in a turn, or while the loop
 * closes. If not, the loop has closed, and the node is still the caller's. The caller's reference
 * may go with the node. Thread: any. */
bool iso__port_post(iso__port *port, iso__node *node);

/* The loop closes: nothing is posted from here on, and nobody is about to. What was posted is in
 * the inbox. Thread: loop. */
void iso__port_shut(iso_loop *loop);

#endif
