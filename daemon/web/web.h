/* SPDX-License-Identifier: ISC
 *
 * web - the entries of the two web roles, and what both do alike
 */
#ifndef LEADD_WEB_WEB_H
#define LEADD_WEB_WEB_H

#include <stdbool.h>

#include "base/json.h"
#include "web/http.h"

int web_in_main(const char *name);
int web_ui_main(const char *name);

/* Limits from the config's web part, within what bounds.h allows. */
void web_http_conf(const json_t *web, struct web_http_conf *out);
/* Pages that only show something: answers 405 and says true unless the method
 * is GET or HEAD. */
bool web_refuse_method(struct web_http *h, struct evhttp_request *req);

#endif
