/* SPDX-License-Identifier: ISC
 *
 * broadcast - one letter to the people of a segment, as the rule files define it
 *
 *   broadcasts : {
 *     spring : {
 *       segment = "austrians"; list = "news";
 *       template = [ "spring_a", "spring_b" ];
 *       test = 10; wait = "2d";          a tenth gets one of them each, then the better one goes
 *       per_hour = 500; window = "Mon-Fri 09:00-17:00";
 *     };
 *   };
 *
 * What runs keeps the definition, and that of its segment, as they were when it was
 * started: broadcast_source() gives them, and broadcast_then() makes the same from them.
 *
 * Pure, as the whole room; which template wins is told here, from figures.
 */
#ifndef LEADD_RULE_BROADCAST_H
#define LEADD_RULE_BROADCAST_H

#include "rule/segment.h"
#include "rule/window.h"

#define BROADCAST_TEMPLATES 8u
#define BROADCAST_RANK_MAX INT64_MAX

struct broadcast {
    char *name;  /* own */
    json_t *def; /* own */
    const char *at, *list;
    const char *templates[BROADCAST_TEMPLATES];
    size_t template_count;
    struct segments *segments;     /* own; the one */
    const struct segment *segment;
    int64_t test;                  /* percent; 0: no test */
    int64_t wait_ms, least, per_hour /* 0: as fast as they leave */, talk_ms, apart_ms, confirm_over;
    bool consent;
    struct window *window; /* own; NULL: at any time */
    char *source;          /* own; JSON */
};

/* config: the tree with segments, tables, calendars, templates and lists. NULL when errors
 * were added. */
struct broadcast *broadcast_new(const char *name, const json_t *def, const json_t *config,
                                const struct ruleset_env *env, struct errlist *errors);
struct broadcast *broadcast_then(const char *name, const json_t *source, const json_t *config,
                                 const struct ruleset_env *env, struct errlist *errors);
void broadcast_free(struct broadcast **b); /* accepts NULL, sets NULL */

/* Where in the line somebody stands, from 0 to BROADCAST_RANK_MAX: drawn by lot, and
 * always the same. Up to broadcast_test_rank() it is the test. */
int64_t broadcast_rank(const char *name, int64_t contact);
int64_t broadcast_test_rank(const struct broadcast *b);
/* Between two looks at who is next, and how many may be written at each, so that no hour
 * has more than per_hour. */
void broadcast_pace(const struct broadcast *b, int64_t *tick_ms_out, int64_t *count_out);

/* What a template of the test has brought. */
struct broadcast_score {
    const char *name;
    int64_t sent, replied, unsubscribed;
};
/* Which of them the others get: that with the most answers for each mail sent, then with
 * the fewest who unsubscribed, then the one named first; the first also when fewer than
 * `least` have answered in all. why says so. */
#define BROADCAST_WHY_MAX 256
size_t broadcast_winner(const struct broadcast_score *s, size_t n, int64_t least,
                        char why[BROADCAST_WHY_MAX]);

#endif
