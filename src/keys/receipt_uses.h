/* SPDX-License-Identifier: Apache-2.0 */
/* Inside keys: the claim `uses` of receipts, absent when nothing was used. */
#ifndef KEYS_RECEIPT_USES_H
#define KEYS_RECEIPT_USES_H

#include "base/json.h"
#include "keys/receipt.h"

bool receipt_uses_are_good(const struct receipt *receipt);
/* Appends ,"uses":[...] in canonical form, or nothing. */
void receipt_uses_append(struct buffer *text, const struct receipt *receipt);
MUST_CHECK bool receipt_uses_get(struct receipt *receipt, const json_t *claims,
                                 struct error *error);

#endif
