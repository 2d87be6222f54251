/* SPDX-License-Identifier: MIT */
/* For libraries that wake a loop, and leave it to the program what for: a locked list of
 * posts, which have memory of their own, taken whole. */
#ifndef SUITE_POSTS_QUEUE_H
#define SUITE_POSTS_QUEUE_H

#include <pthread.h>

typedef struct post {
    struct post *next;
    long number;
} post;

typedef struct post_queue {
    pthread_mutex_t lock;
    post *first;
    post **end;
    post *posts; /* by their numbers */
} post_queue;

static inline void queue_open(post_queue *self, long count)
{
    suite_check(pthread_mutex_init(&self->lock, NULL) == 0, "pthread_mutex_init");
    self->first = NULL;
    self->end = &self->first;
    self->posts = calloc((size_t)count + 1, sizeof(*self->posts));
    suite_check(self->posts != NULL, "memory");
}

/* Answers whether it was empty: the loop has to be woken then. */
static inline int queue_put(post_queue *self, long number)
{
    post *made = &self->posts[number];
    made->next = NULL;
    made->number = number;
    pthread_mutex_lock(&self->lock);
    const int was_empty = self->first == NULL;
    *self->end = made;
    self->end = &made->next;
    pthread_mutex_unlock(&self->lock);
    return was_empty;
}

static inline post *queue_take(post_queue *self)
{
    pthread_mutex_lock(&self->lock);
    post *first = self->first;
    self->first = NULL;
    self->end = &self->first;
    pthread_mutex_unlock(&self->lock);
    return first;
}

static inline void queue_tell(post_queue *self, int loop)
{
    post *at = queue_take(self);
    while (at != NULL) {
        post *next = at->next;
        posts_told(loop, at->number);
        at = next;
    }
}

#endif
