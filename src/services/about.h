/* SPDX-License-Identifier: Apache-2.0 */
/* `about`: who is running, as JSON: {"application":..,"function":..,"invocation":..,"version":..}.
 * Needs no permission. */
#ifndef SERVICES_ABOUT_H
#define SERVICES_ABOUT_H

#include "services/services.h"

extern const struct service service_about; /* context: NULL */

#endif
