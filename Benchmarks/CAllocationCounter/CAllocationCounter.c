// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#include "CAllocationCounter.h"

#include <errno.h>
#include <stddef.h>

/* glibc's own names: defining malloc here interposes the whole process, and these do the work. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local uint64_t allocations;

static void count(void) { allocations += 1; }

uint64_t tollgate_allocation_count(void) { return allocations; }

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *pointer, size_t size) {
    count();
    return __libc_realloc(pointer, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
    count();
    void *block = __libc_memalign(alignment, size);
    if (block == NULL) return ENOMEM;
    *pointer = block;
    return 0;
}
