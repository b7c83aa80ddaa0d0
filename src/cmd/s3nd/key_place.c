/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/key_place.h"
#include "outbound/address.h"

#include <string.h>

bool key_place_check(const char *place, bool is_allowed, struct error *error)
{
    /* an address of version 6 stands in brackets */
    const char *bracket = strrchr(place, '['), *colon = strrchr(place, ':');
    struct bytes text = bytes_of_string(bracket != NULL ? bracket + 1
                                        : colon != NULL ? colon + 1
                                                        : "");
    struct address address;
    if (bracket != NULL)
        text.size = bytes_find(text, ']');
    if (!address_parse(&address, text))
        return error_set(error, ERROR_INVALID, "the issuer's address is none");
    enum address_class class = address_classify(&address);
    return is_allowed || class == ADDRESS_PUBLIC ||
           error_set(error, ERROR_DENIED,
                     "the issuer is at %s; the node's operator can allow it ([access] issuers)",
                     address_class_text(class));
}
