/* SPDX-License-Identifier: Apache-2.0 */
/* Address space of this process, aligned for pages of 2 MiB. */
#ifndef SLIPSTREAM_RESERVE_H
#define SLIPSTREAM_RESERVE_H

#include "base/error.h"

/* `size` bytes of zeros at a multiple of LARGE_PAGE_SIZE; memory comes with the first touch.  Unmap
 * with munmap, `size` rounded up to pages. */
MUST_CHECK bool reserve_memory(uint8_t **host, uint64_t size, struct error *error);

#endif
