// This file is part of Tollgate.
// SPDX-License-Identifier: Apache-2.0

#include <zlib.h>
