/* SPDX-License-Identifier: MIT */
/* The few atomic operations that the library needs. All are sequentially consistent but for those
 * whose name says otherwise. (MSVC 2022 has no <stdatomic.h> without an experimental switch.) */
#ifndef ISO_BASE_ATOMIC_H
#define ISO_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#if defined(_MSC_VER)

#include <intrin.h>

typedef struct {
    volatile long value;
} iso__atomic_u32;
typedef struct {
    volatile __int64 value;
} iso__atomic_u64;
typedef struct {
    void *volatile value;
} iso__atomic_ptr;

static inline uint32_t iso__atomic_load_u32(const iso__atomic_u32 *a)
{
    return (uint32_t)_InterlockedOr((volatile long *)&a->value, 0);
}
static inline uint32_t iso__atomic_exchange_u32(iso__atomic_u32 *a, uint32_t value)
{
    return (uint32_t)_InterlockedExchange(&a->value, (long)value);
}
static inline void iso__atomic_store_u32(iso__atomic_u32 *a, uint32_t value)
{
    (void)_InterlockedExchange(&a->value, (long)value);
}
static inline uint32_t iso__atomic_add_u32(iso__atomic_u32 *a, uint32_t value)
{
    return (uint32_t)_InterlockedExchangeAdd(&a->value, (long)value);
}
static inline bool iso__atomic_cas_u32(iso__atomic_u32 *a, uint32_t *expected, uint32_t desired)
{
    uint32_t was = (uint32_t)_InterlockedCompareExchange(&a->value, (long)desired, (long)*expected);
    bool done = was == *expected;
    *expected = was;
    return done;
}
static inline uint64_t iso__atomic_load_u64(const iso__atomic_u64 *a)
{
    return (uint64_t)_InterlockedCompareExchange64((volatile __int64 *)&a->value, 0, 0);
}
static inline bool iso__atomic_cas_u64(iso__atomic_u64 *a, uint64_t *expected, uint64_t desired)
{
    uint64_t was =
        (uint64_t)_InterlockedCompareExchange64(&a->value, (__int64)desired, (__int64)*expected);
    bool done = was == *expected;
    *expected = was;
    return done;
}
static inline void *iso__atomic_load_ptr(const iso__atomic_ptr *a)
{
    return _InterlockedCompareExchangePointer((void *volatile *)&a->value, NULL, NULL);
}
static inline void iso__atomic_store_ptr(iso__atomic_ptr *a, void *value)
{
    (void)_InterlockedExchangePointer(&a->value, value);
}
static inline void *iso__atomic_exchange_ptr(iso__atomic_ptr *a, void *value)
{
    return _InterlockedExchangePointer(&a->value, value);
}
static inline bool iso__atomic_cas_ptr(iso__atomic_ptr *a, void **expected, void *desired)
{
    void *was = _InterlockedCompareExchangePointer(&a->value, desired, *expected);
    bool done = was == *expected;
    *expected = was;
    return done;
}

#else

#include <stdatomic.h>

typedef struct {
    _Atomic(uint32_t) value;
} iso__atomic_u32;
typedef struct {
    _Atomic(uint64_t) value;
} iso__atomic_u64;
typedef struct {
    _Atomic(void *) value;
} iso__atomic_ptr;

static inline uint32_t iso__atomic_load_u32(const iso__atomic_u32 *a)
{
    return atomic_load(&a->value);
}
static inline uint32_t iso__atomic_exchange_u32(iso__atomic_u32 *a, uint32_t value)
{
    return atomic_exchange(&a->value, value);
}
static inline void iso__atomic_store_u32(iso__atomic_u32 *a, uint32_t value)
{
    atomic_store(&a->value, value);
}
static inline uint32_t iso__atomic_add_u32(iso__atomic_u32 *a, uint32_t value)
{
    return atomic_fetch_add(&a->value, value);
}
static inline bool iso__atomic_cas_u32(iso__atomic_u32 *a, uint32_t *expected, uint32_t desired)
{
    return atomic_compare_exchange_strong(&a->value, expected, desired);
}
static inline uint64_t iso__atomic_load_u64(const iso__atomic_u64 *a)
{
    return atomic_load(&a->value);
}
static inline bool iso__atomic_cas_u64(iso__atomic_u64 *a, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong(&a->value, expected, desired);
}
static inline void *iso__atomic_load_ptr(const iso__atomic_ptr *a)
{
    return atomic_load(&a->value);
}
static inline void iso__atomic_store_ptr(iso__atomic_ptr *a, void *value)
{
    atomic_store(&a->value, value);
}
static inline void *iso__atomic_exchange_ptr(iso__atomic_ptr *a, void *value)
{
    return atomic_exchange(&a->value, value);
}
static inline bool iso__atomic_cas_ptr(iso__atomic_ptr *a, void **expected, void *desired)
{
    return atomic_compare_exchange_strong(&a->value, expected, desired);
}

#endif
#endif
