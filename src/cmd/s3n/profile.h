/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line remembers of a node: under $XDG_CONFIG_HOME/s3n (or ~/.config/s3n, or
 * --config), the owner's key and a profile with the pinned keyset and the code that was deployed
 * from here.  Files have mode 0600 and are replaced atomically. */
#ifndef S3N_PROFILE_H
#define S3N_PROFILE_H

#include "base/buffer.h"
#include "base/json.h"
#include "crypto/ecdsa.h"

enum {
    PROFILE_URL_SIZE_MAX = 255,
    PROFILE_SIZE_MAX = 1 << 20
};

struct profile {
    char url[PROFILE_URL_SIZE_MAX + 1];
    bool trust_simulated; /* said at login */
    struct buffer policy; /* the same: a file's text; empty: the default */
    struct buffer root;   /* the same: a certificate; empty: the vendors' */
    bool fetches;         /* the same: collateral that a node's evidence lacks */
    struct buffer keyset; /* text, verified */
    json_t *code;         /* object: "app/function" -> digest in hex, as deployed from here */
};

void profile_init(struct profile *profile);
void profile_done(struct profile *profile);
#define AUTO_PROFILE __attribute__((cleanup(profile_done)))

/* Another folder than the usual one, for this process (--config); borrowed. */
void profile_use_folder(const char *folder);
/* Path of a file in the folder, which is made. */
MUST_CHECK bool profile_path(char *path, size_t size, const char *name, struct error *error);

/* Into an initialised profile.  NOT_FOUND before the first login. */
MUST_CHECK bool profile_read(struct profile *profile, struct error *error);
MUST_CHECK bool profile_write(const struct profile *profile, struct error *error);
/* What was deployed from here as APP/FUNCTION; false when nothing was. */
bool profile_code(const struct profile *profile, const char *name, struct digest32 *code);
void profile_set_code(struct profile *profile, const char *name, const struct digest32 *code);
/* Forgets all functions of an application. */
void profile_forget(struct profile *profile, const char *application);

/* The owner's key; made when there is none. */
MUST_CHECK bool owner_key_open(struct ecdsa_key **key, struct error *error);
/* The one that shall follow it, in a file of its own until then; made when there is none. */
MUST_CHECK bool owner_key_next(struct ecdsa_key **key, struct error *error);
/* It is the owner's key from now on; the one before stays as owner.key.old. */
MUST_CHECK bool owner_key_switch(struct error *error);

enum {
    OWNER_KEYS_BEFORE_MAX = 64
};
/* Those of before, the latest first: what was sealed to them opens with them alone. */
struct owner_keys_before {
    struct ecdsa_key *items[OWNER_KEYS_BEFORE_MAX];
    size_t count;
};
MUST_CHECK bool owner_keys_before(struct owner_keys_before *keys, struct error *error);
void owner_keys_before_done(struct owner_keys_before *keys);

#endif
