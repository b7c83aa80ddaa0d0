/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/tls.h"

#include "core/writer.h"
#include "crypto/limits.h"
#include "crypto/openssl.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct tls_context {
    SSL_CTX *context;
    atomic_uint holders; /* whoever made it, and each connection */
    bool is_server;
    bool has_pinned;
    struct ecdsa_spki pinned;
};

struct tls_connection {
    struct tls_context *context;
    SSL *session;
    BIO *incoming; /* both belong to the session */
    BIO *outgoing;
    size_t record_padding; /* of the record being written */
    enum tls_state state;
};

/* ALPN wire format, in the order of preference. */
static const struct bytes server_protocols = { (const uint8_t *)"\x02h2\x08http/1.1", 12 };

void tls_context_free(struct tls_context *context)
{
    if (context == NULL || atomic_fetch_sub(&context->holders, 1) != 1)
        return;
    SSL_CTX_free(context->context);
    free(context);
}

static bool context_new(struct tls_context **made, const SSL_METHOD *method, struct error *error)
{
    /* Not const, because OpenSSL's macros cast that away. */
    char groups[] = "X25519:P-256";
    char algorithms[] = "ECDSA+SHA256";
    crypto_algorithms();
    AUTO(tls_context) struct tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        return error_set(error, ERROR_NO_MEMORY, "TLS context");
    atomic_init(&context->holders, 1);
    context->context = SSL_CTX_new(method);
    if (context->context == NULL ||
        SSL_CTX_set_min_proto_version(context->context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(context->context, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set1_groups_list(context->context, groups) != 1 ||
        SSL_CTX_set1_sigalgs_list(context->context, algorithms) != 1 ||
        SSL_CTX_set_num_tickets(context->context, 0) != 1)
        return crypto_error(error, ERROR_INTERNAL, "TLS context");
    SSL_CTX_set_session_cache_mode(context->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context->context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context->context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(context->context, TLS_PEER_CHAIN_SIZE_MAX);
    *made = TAKE(context);
    return true;
}

static int choose_protocol(UNUSED SSL *session, const unsigned char **chosen,
                           unsigned char *chosen_size, const unsigned char *offered,
                           unsigned offered_size, UNUSED void *context)
{
    unsigned char *found = NULL;
    if (SSL_select_next_proto(&found, chosen_size, server_protocols.data,
                              (unsigned)server_protocols.size, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static bool use_chain(SSL_CTX *context, const struct bytes *chain, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned char *at = chain[i].data;
        if (chain[i].size > X509_SIZE_MAX)
            return false;
        X509 *certificate = d2i_X509(NULL, &at, (long)chain[i].size);
        bool is_used = certificate != NULL && at == chain[i].data + chain[i].size &&
                       (i == 0 ? SSL_CTX_use_certificate(context, certificate)
                               : (int)SSL_CTX_add1_chain_cert(context, certificate)) == 1;
        X509_free(certificate);
        if (!is_used)
            return false;
    }
    return true;
}

bool tls_server_new(struct tls_context **made, const struct bytes *chain, size_t count,
                    const struct ecdsa_key *key, struct error *error)
{
    AUTO(tls_context) struct tls_context *context = NULL;
    if (!context_new(&context, TLS_server_method(), error))
        return false;
    context->is_server = true;
    if (count == 0 || !use_chain(context->context, chain, count) ||
        SSL_CTX_use_PrivateKey(context->context, ecdsa_key_openssl(key)) != 1 ||
        SSL_CTX_check_private_key(context->context) != 1)
        return crypto_error(error, ERROR_INVALID, "TLS certificate and key");
    SSL_CTX_set_alpn_select_cb(context->context, choose_protocol, NULL);
    SSL_CTX_set_options(context->context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    *made = TAKE(context);
    return true;
}

/* Stands in for chain building: the server is known by its key, or judged by the caller. */
static int check_server(X509_STORE_CTX *check, void *argument)
{
    const struct tls_context *context = argument;
    unsigned char *spki = NULL;
    const X509 *certificate = X509_STORE_CTX_get0_cert(check);
    if (!context->has_pinned)
        return 1;
    int size = certificate == NULL ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    bool is_pinned = size == (int)sizeof(context->pinned.bytes) &&
                     memcmp(spki, context->pinned.bytes, sizeof(context->pinned.bytes)) == 0;
    OPENSSL_free(spki);
    X509_STORE_CTX_set_error(check, is_pinned ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    return is_pinned;
}

static bool offer_protocols(SSL_CTX *context, const char *const *protocols)
{
    uint8_t space[256];
    struct writer names = writer_into(space, sizeof(space));
    for (size_t i = 0; protocols != NULL && protocols[i] != NULL; i++) {
        struct bytes name = bytes_of_string(protocols[i]);
        if (name.size == 0 || name.size > UINT8_MAX)
            return false;
        write_u8(&names, (uint8_t)name.size);
        write_bytes(&names, name);
    }
    struct bytes offered = writer_view(&names);
    /* This one function of OpenSSL returns 0 for success. */
    return !names.failed &&
           (offered.size == 0 ||
            SSL_CTX_set_alpn_protos(context, offered.data, (unsigned)offered.size) == 0);
}

bool tls_client_new(struct tls_context **made, const struct ecdsa_public *pinned,
                    const char *const *protocols, struct error *error)
{
    AUTO(tls_context) struct tls_context *context = NULL;
    if (!context_new(&context, TLS_client_method(), error))
        return false;
    if (!offer_protocols(context->context, protocols))
        return error_set(error, ERROR_INVALID, "names of protocols are empty or too long");
    if (pinned != NULL) {
        context->has_pinned = true;
        context->pinned = ecdsa_public_to_spki(pinned);
    }
    SSL_CTX_set_verify(context->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context->context, check_server, context);
    *made = TAKE(context);
    return true;
}

static bool is_address(const char *name)
{
    uint8_t address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static size_t pad_record(SSL *session, int type, size_t size, void *context)
{
    const struct tls_connection *connection = context;
    (void)session, (void)size;
    return type == SSL3_RT_APPLICATION_DATA ? connection->record_padding : 0;
}

bool tls_connection_new(struct tls_connection **made, struct tls_context *context,
                        const char *server_name, struct error *error)
{
    AUTO(tls_connection) struct tls_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL)
        return error_set(error, ERROR_NO_MEMORY, "TLS connection");
    atomic_fetch_add(&context->holders, 1);
    connection->context = context;
    connection->session = SSL_new(context->context);
    connection->incoming = BIO_new(BIO_s_mem());
    connection->outgoing = BIO_new(BIO_s_mem());
    if (connection->session == NULL || connection->incoming == NULL ||
        connection->outgoing == NULL) {
        BIO_free(connection->incoming);
        BIO_free(connection->outgoing);
        return crypto_error(error, ERROR_NO_MEMORY, "TLS connection");
    }
    SSL_set_bio(connection->session, connection->incoming, connection->outgoing);
    SSL_set_record_padding_callback_arg(connection->session, connection);
    if (SSL_set_record_padding_callback(connection->session, pad_record) != 1)
        return crypto_error(error, ERROR_INTERNAL, "TLS connection");
    if (context->is_server) {
        SSL_set_accept_state(connection->session);
    } else {
        SSL_set_connect_state(connection->session);
        if (server_name != NULL && !is_address(server_name) &&
            /* SSL_set_tlsext_host_name, whose cast drops const. */
            SSL_ctrl(connection->session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                     (void *)(uintptr_t)server_name) != 1)
            return crypto_error(error, ERROR_INVALID, "name of the server");
    }
    *made = TAKE(connection);
    return true;
}

void tls_connection_free(struct tls_connection *connection)
{
    if (connection == NULL)
        return;
    SSL_free(connection->session);
    tls_context_free(connection->context);
    free(connection);
}

enum tls_state tls_state(const struct tls_connection *connection)
{
    return connection->state;
}

bool tls_feed(struct tls_connection *connection, struct bytes ciphertext, struct error *error)
{
    size_t waiting = BIO_ctrl_pending(connection->incoming);
    if (ciphertext.size > TLS_FEED_SIZE_MAX || waiting > TLS_FEED_SIZE_MAX - ciphertext.size)
        return error_set(error, ERROR_LIMIT, "more than %d bytes of TLS wait to be read",
                         TLS_FEED_SIZE_MAX);
    if (ciphertext.size > 0 && BIO_write(connection->incoming, ciphertext.data,
                                         (int)ciphertext.size) != (int)ciphertext.size)
        return crypto_error(error, ERROR_NO_MEMORY, "TLS input");
    return true;
}

size_t tls_take(struct tls_connection *connection, void *target, size_t capacity)
{
    int size = BIO_read(connection->outgoing, target, (int)MIN(capacity, (size_t)INT_MAX));
    return size > 0 ? (size_t)size : 0;
}

/* OpenSSL's memory never shrinks, so another takes its place. */
static BIO *another_for(BIO *memory)
{
    BUF_MEM *space = NULL;
    bool is_lean = BIO_get_mem_ptr(memory, &space) != 1 || space == NULL || space->max == 0;
    return is_lean || BIO_ctrl_pending(memory) > 0 ? NULL : BIO_new(BIO_s_mem());
}

void tls_slim(struct tls_connection *connection)
{
    BIO *incoming = another_for(connection->incoming);
    BIO *outgoing = another_for(connection->outgoing);
    if (incoming != NULL) {
        connection->incoming = incoming;
        SSL_set0_rbio(connection->session, incoming);
    }
    if (outgoing != NULL) {
        connection->outgoing = outgoing;
        SSL_set0_wbio(connection->session, outgoing);
    }
}

size_t tls_pending(const struct tls_connection *connection)
{
    return BIO_ctrl_pending(connection->outgoing);
}

/* After an OpenSSL call that did not succeed: true when the bytes fed simply did not suffice. */
static bool judge(struct tls_connection *connection, int result, const char *what,
                  struct error *error)
{
    switch (SSL_get_error(connection->session, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return true;
    case SSL_ERROR_ZERO_RETURN:
        connection->state = TLS_STATE_CLOSED;
        return true;
    default:
        break;
    }
    connection->state = TLS_STATE_FAILED;
    if (connection->context->has_pinned &&
        SSL_get_verify_result(connection->session) == X509_V_ERR_CERT_UNTRUSTED) {
        crypto_error(error, ERROR_UNVERIFIED, what);
        return error_set(error, ERROR_UNVERIFIED, "the server has another key than expected");
    }
    return crypto_error(error, ERROR_INVALID, what);
}

static bool check_usable(const struct tls_connection *connection, struct error *error)
{
    return connection->state != TLS_STATE_FAILED ||
           error_set(error, ERROR_UNAVAILABLE, "TLS connection has failed before");
}

bool tls_handshake(struct tls_connection *connection, struct error *error)
{
    if (!check_usable(connection, error))
        return false;
    if (connection->state != TLS_STATE_HANDSHAKE)
        return true;
    ERR_clear_error();
    int result = SSL_do_handshake(connection->session);
    if (result == 1) {
        connection->state = TLS_STATE_OPEN;
        return true;
    }
    return judge(connection, result, "TLS handshake", error);
}

bool tls_read(struct tls_connection *connection, void *target, size_t capacity, size_t *size,
              struct error *error)
{
    size_t got = 0;
    if (!tls_handshake(connection, error))
        return false;
    if (connection->state == TLS_STATE_OPEN && capacity > 0) {
        ERR_clear_error();
        int result = SSL_read_ex(connection->session, target, capacity, &got);
        if (result != 1) {
            got = 0;
            if (!judge(connection, result, "TLS", error))
                return false;
        }
    }
    *size = got;
    return true;
}

static bool write_session(struct tls_connection *connection, struct bytes plaintext,
                          struct error *error)
{
    while (plaintext.size > 0) {
        size_t written = 0;
        ERR_clear_error();
        int result = SSL_write_ex(connection->session, plaintext.data, plaintext.size, &written);
        if (result != 1) {
            if (!judge(connection, result, "TLS", error))
                return false;
            return error_set(error, ERROR_UNAVAILABLE, "TLS connection takes no data");
        }
        plaintext = bytes_part(plaintext, written, plaintext.size);
    }
    return true;
}

static bool check_writable(const struct tls_connection *connection, struct error *error)
{
    if (!check_usable(connection, error))
        return false;
    /* The peer's goodbye ends what it sends, not what it reads. */
    return SSL_is_init_finished(connection->session) ||
           error_set(error, ERROR_UNAVAILABLE, "TLS handshake is not done");
}

bool tls_write(struct tls_connection *connection, struct bytes plaintext, struct error *error)
{
    return check_writable(connection, error) && write_session(connection, plaintext, error);
}

bool tls_write_padded(struct tls_connection *connection, struct bytes plaintext, uint64_t padding,
                      struct error *error)
{
    const uint64_t record_size = TLS_PADDED_RECORD_SIZE;
    uint64_t left = MIN(plaintext.size + padding, plaintext.size * record_size);
    bool written = check_writable(connection, error);
    while (plaintext.size > 0 && written) {
        uint64_t records = (left + record_size - 1) / record_size;
        uint64_t record = MIN(left, record_size);
        /* as much as leaves a byte for each of the others */
        size_t part = MIN((size_t)record, plaintext.size - (size_t)(records - 1));
        connection->record_padding = (size_t)record - part;
        written = write_session(connection, bytes_part(plaintext, 0, part), error);
        plaintext = bytes_part(plaintext, part, plaintext.size);
        left -= record;
    }
    connection->record_padding = 0;
    return written;
}

void tls_close(struct tls_connection *connection)
{
    if (connection->state == TLS_STATE_FAILED || !SSL_is_init_finished(connection->session))
        return;
    ERR_clear_error();
    SSL_shutdown(connection->session);
    ERR_clear_error();
}

struct bytes tls_protocol(const struct tls_connection *connection)
{
    const unsigned char *name = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(connection->session, &name, &size);
    return bytes_of(name, size);
}

bool tls_peer_certificate(const struct tls_connection *connection, struct buffer *der,
                          struct error *error)
{
    X509 *certificate = SSL_get0_peer_certificate(connection->session);
    int size = certificate == NULL ? 0 : i2d_X509(certificate, NULL);
    if (size <= 0)
        return error_set(error, ERROR_UNAVAILABLE, "peer has not shown a certificate");
    uint8_t *room = buffer_reserve(der, (size_t)size);
    if (room == NULL)
        return error_set(error, ERROR_LIMIT, "peer's certificate is too long");
    ASSERT(i2d_X509(certificate, &room) == size);
    der->size += (size_t)size;
    return true;
}

bool tls_peer_key(const struct tls_connection *connection, struct ecdsa_public *key,
                  struct error *error)
{
    const X509 *certificate = SSL_get0_peer_certificate(connection->session);
    if (certificate == NULL)
        return error_set(error, ERROR_UNAVAILABLE, "peer has not shown a certificate");
    unsigned char *spki = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    bool is_known = size > 0 && ecdsa_public_from_spki(key, bytes_of(spki, (size_t)size), error);
    OPENSSL_free(spki);
    if (!is_known)
        return error_set(error, ERROR_UNSUPPORTED, "peer's key is not of P-256");
    return true;
}

bool tls_exporter(const struct tls_connection *connection, const char *label, struct bytes context,
                  void *target, size_t size, struct error *error)
{
    if (!SSL_is_init_finished(connection->session))
        return error_set(error, ERROR_UNAVAILABLE, "TLS handshake is not done");
    if (SSL_export_keying_material(connection->session, target, size, label, strlen(label),
                                   context.data, context.size, 1) != 1)
        return crypto_error(error, ERROR_INTERNAL, "TLS exporter");
    return true;
}

bool tls_exporter_of(void *session, const char *label, void *target, size_t size,
                     struct error *error)
{
    SSL *ssl = session;
    if (!SSL_is_init_finished(ssl) || SSL_version(ssl) != TLS1_3_VERSION)
        return error_set(error, ERROR_UNAVAILABLE, "there is no TLS 1.3 session");
    return SSL_export_keying_material(ssl, target, size, label, strlen(label), NULL, 0, 1) == 1 ||
           crypto_error(error, ERROR_INTERNAL, "TLS exporter");
}
