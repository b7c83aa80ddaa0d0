/* SPDX-License-Identifier: Apache-2.0 */
#include "access/jwt.h"

void fuzz_one(struct bytes input);

void fuzz_one(struct bytes input)
{
    static const char *const audiences[] = { "app" };
    static const struct jwt_policy policy = { "https://issuer.example", audiences, 1, 7, 60 };
    AUTO_JWT struct jwt token = { 0 };
    struct error error;
    if (!jwt_parse(&token, input, &error))
        return;
    ASSERT(token.algorithm < JWT_ALGORITHM_COUNT && json_is_object(token.claims));
    (void)!jwt_check(&token, &policy, 1800000000, &error);
}
