// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#ifndef TOLLGATE_ALLOCATION_COUNTER_H
#define TOLLGATE_ALLOCATION_COUNTER_H

#include <stdint.h>

/* Calls of malloc, calloc, realloc, aligned_alloc and posix_memalign by the calling thread so far. */
uint64_t tollgate_allocation_count(void);

#endif
