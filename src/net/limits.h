/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of net in one place; docs/http.md has the same table for people.  The ones that an
 * operator may change are defaults of struct http_server_limits. */
#ifndef NET_LIMITS_H
#define NET_LIMITS_H

enum {
    /* one request */
    HTTP_HEAD_SIZE_MAX = 16 << 10,  /* request line and fields, with their line ends */
    HTTP_TARGET_SIZE_MAX = 8 << 10, /* path and query */
    HTTP_FIELD_COUNT_MAX = 64,
    HTTP_AUTHORITY_SIZE_MAX = 255,
    HTTP_CHUNK_DIGITS_MAX = 15, /* of one chunk's size */
    /* one answer */
    HTTP_ANSWER_FIELD_COUNT_MAX = 40,
    HTTP_ANSWER_HEAD_SIZE_MAX = 16 << 10,
    /* one connection */
    HTTP_STREAM_COUNT_MAX = 100,         /* HTTP/2: requests at once */
    HTTP_PIPELINE_SIZE_MAX = 64 << 10,   /* HTTP/1.1: read ahead of the request at hand */
    HTTP_STREAM_WINDOW = 256 << 10,      /* HTTP/2: unread body bytes of one stream */
    HTTP_CONNECTION_WINDOW = 1 << 20,    /* HTTP/2: of all streams of a connection */
    HTTP_RESET_BURST = 200,              /* HTTP/2: streams a client may reset at once, */
    HTTP_RESET_RATE = 20,                /* and per second after that */
    HTTP_CONTROL_BURST = 500,            /* HTTP/2: PING, SETTINGS, PRIORITY, ... at once, */
    HTTP_CONTROL_RATE = 50,              /* and per second after that */
    HTTP_CONTINUATION_COUNT_MAX = 8,     /* HTTP/2: CONTINUATION frames behind one HEADERS */
    HTTP_SETTINGS_COUNT_MAX = 16,        /* HTTP/2: entries of one SETTINGS frame */
    HTTP_ACKNOWLEDGEMENT_COUNT_MAX = 64, /* HTTP/2: unsent acknowledgements */
    HTTP_HPACK_TABLE_SIZE_MAX = 4096,
    /* one server, defaults */
    HTTP_CONNECTION_COUNT_MAX = 12288, /* so that 10,000 are no crowd */
    HTTP_PEER_CONNECTION_COUNT_MAX = 256,
    HTTP_MEMORY_MAX = 512 << 20,      /* bodies and unsent answers of all requests together */
    HTTP_PEER_MEMORY_MAX = 192 << 20, /* the same, of one peer */
    HTTP_REQUEST_COUNT_MAX = 4096,    /* in progress; a slot is about 19 KiB */
    HTTP_LISTENER_COUNT_MAX = 8,
    HTTP_IO_SIZE = 64 << 10,       /* read or written at once */
    HTTP_TICK_MS = 100,            /* how often time limits are looked at */
    HTTP_LINGER_TIMEOUT_MS = 2000, /* reading on after an early answer, so that it arrives */
    HTTP_HANDSHAKE_TIMEOUT_MS = 10000,
    HTTP_HEAD_TIMEOUT_MS = 10000, /* from the first byte of a request to the end of its fields */
    HTTP_IDLE_TIMEOUT_MS = 60000, /* between requests */
    HTTP_SLIM_AFTER_MS = 1000,    /* of idleness: a connection's buffers are given back */
    /* Crowded, when more than this part of connections or requests is there: idle connections are
     * closed, and for heads and stretches of bodies patience is short, so that others get in. */
    HTTP_CROWDED_EIGHTHS = 7,
    HTTP_CROWDED_IDLE_MS = 1000,    /* since the last answer, at least */
    HTTP_CROWDED_UNSERVED_MS = 250, /* the same where there was none yet */
    HTTP_CROWDED_TIMEOUT_MS = 1000,
    HTTP_WRITE_TIMEOUT_MS = 30000, /* without progress of unsent output; then HTTP_BODY_RATE_MIN */
    HTTP_BODY_TIMEOUT_MS = 10000,  /* a stretch over which the rate of a body is judged */
    HTTP_BODY_RATE_MIN = 4096,     /* bytes per second, in each such stretch */
    HTTP_ANSWER_TIMEOUT_MS = 120000, /* until the request's handler answers: 504 */
    /* message signatures */
    SIGNATURE_FIELD_SIZE_MAX = 4096, /* Signature-Input, Signature, Content-Digest */
    SIGNATURE_COMPONENT_COUNT_MAX = 16,
    SIGNATURE_PARAMETER_COUNT_MAX = 16,
    SIGNATURE_LABEL_COUNT_MAX = 8,
    SIGNATURE_BASE_SIZE_MAX = 16 << 10,
    SIGNATURE_AGE_S_MAX = 300, /* `created` may be this far from now, either way */
    SIGNATURE_NONCE_SIZE_MAX = 128,
    SIGNATURE_NONCE_COUNT_MAX = 65536, /* remembered at once; more requests in the window: busy */
    /* client */
    CLIENT_FIELD_COUNT_MAX = 64,
    CLIENT_FIELD_MEMORY_MAX = 128 << 10
};

#endif
