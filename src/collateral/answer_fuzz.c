/* SPDX-License-Identifier: Apache-2.0 */
/* A service's answer: part, what was asked about, size of the chain's header, header, body.  What
 * is kept reads back as the same. */
#include "collateral/piece.h"
#include "core/reader.h"
#include "fuzz/fuzz.h"

#include <string.h>

void fuzz_one(struct bytes input)
{
    static struct collateral_wish wish;
    struct error error;
    struct reader reader = reader_of(input);
    uint8_t part = read_u8(&reader), about = read_u8(&reader);
    struct bytes header = read_bytes(&reader, read_u16_le(&reader));
    struct bytes body = bytes_of(reader.at, reader_left(&reader));
    AUTO_BUFFER struct buffer chain;
    AUTO_COLLATERAL_PIECE struct collateral_piece piece, again;
    buffer_init(&chain, COLLATERAL_CHAIN_SIZE_MAX);
    collateral_piece_init(&piece);
    collateral_piece_init(&again);
    if (reader.failed || part >= COLLATERAL_PART_COUNT)
        return;
    wish = (struct collateral_wish){ .part = (enum collateral_part)part,
                                     .is_tdx = (about & 1) != 0,
                                     .fmspc = { 0xb0, 0xc0, 0x6f },
                                     .hwid_size = 64 };
    int64_t issued_s, next_update_s;
    (void)collateral_dates_of(wish.part, body, &issued_s, &next_update_s);
    if (!collateral_chain_decode(&chain, header, &error) ||
        !collateral_piece_read(&piece, &wish, body, buffer_view(&chain), &error))
        return;
    ASSERT(piece.body.size > 0);
    ASSERT(collateral_piece_read(&again, &wish, buffer_view(&piece.body), buffer_view(&piece.chain),
                                 &error));
    ASSERT(bytes_equal(buffer_view(&piece.body), buffer_view(&again.body)));
    ASSERT(piece.issued_s == again.issued_s && piece.next_update_s == again.next_update_s);
    ASSERT(collateral_dates_of(wish.part, buffer_view(&piece.body), &issued_s, &next_update_s));
    ASSERT(issued_s == piece.issued_s && next_update_s == piece.next_update_s);
}
