/* SPDX-License-Identifier: ISC
 *
 * solo - the engine's pipeline alone: a scratch store, a pretended clock, no peers
 *
 * For tools that try rules out: what they see is what the daemon would do, since it
 * runs through the same handlers, savepoints and commands. A mail is read in this
 * process by mail_parse, as the parser role does it; a mail that is due leaves at
 * once, as if a relay had taken it; timers fire when solo_advance() passes their
 * time. Nothing reaches the network, the disk (but for a store that was given a
 * path) or the log.
 *
 *     struct solo *s = solo_new(part_of_the_engine, NULL, &e);
 *     solo_begin(s, at_ms, &e);            an empty CRM, and it is that time
 *     solo_form(s, "contact", fields, &answer, &e);
 *     solo_advance(s, at_ms + 31 * 60000, &e);
 *     crm_list(solo_crm(s), ..)            and the readers of store/ on solo_db(s)
 *     solo_begin(s, ..)                    the next test: all of it is forgotten
 *
 * Rules are compiled and the schema is made once, by solo_new; solo_begin only undoes
 * a transaction. The pretended clock and the muted log are the process's: of several
 * solos, each call sets the clock to its own time first.
 */
#ifndef LEADD_SOLO_H
#define LEADD_SOLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct crm;
struct db;
struct engine;
struct solo;

/* engine_config: the engine's part of config_split(), kept by reference. path: of the
 * scratch store, a new file; NULL: memory. NULL with e when rules do not compile. */
struct solo *solo_new(const json_t *engine_config, const char *path, struct err *e);
void solo_free(struct solo **s); /* accepts NULL, sets NULL */

/* Forgets everything and begins at that time. */
int solo_begin(struct solo *s, int64_t now_ms, struct err *e) LEADD_MUST_CHECK;
/* From that moment of clock_mono_ms() on every call fails (ERR_TEMP); 0: never. */
void solo_deadline(struct solo *s, int64_t mono_ms);

/* Leave rules out of the journal that cannot match: many times faster where there are
 * thousands, and all else is the same. Not at first. */
void solo_brief(struct solo *s, bool brief);

/* What the sender is told, as in the frames of daemon/README.md: "filed", "ignored",
 * "quarantined", "duplicate"; of forms "ok", "invalid" ... */
struct solo_answer {
    char status[16];
    char text[512]; /* why it was invalid, ignored or quarantined; what the command did */
};

/* mailbox: a name of the config; NULL: as by `leadctl ingest`. An error is the
 * caller's mistake or the store's; what the daemon would answer is in out. After each
 * of these, mail that is due now has left and timers that are due now have fired. */
int solo_mail(struct solo *s, const char *raw, size_t n, const char *mailbox,
              struct solo_answer *out, struct err *e) LEADD_MUST_CHECK;
/* A text that comes in by a gateway of the config, from a number as people write it there. */
int solo_sms(struct solo *s, const char *gateway, const char *from, const char *text,
             struct solo_answer *out, struct err *e) LEADD_MUST_CHECK;
/* fields: {POSTED: text}; names that the form does not know are `extra`, as in web-in,
 * which also asks for the required ones. */
int solo_form(struct solo *s, const char *form, const json_t *fields, struct solo_answer *out,
              struct err *e) LEADD_MUST_CHECK;
/* A message as message_json() gives it: a mail that was parsed, or a form. raw may be
 * NULL. mailbox is for mails. */
int solo_message(struct solo *s, const json_t *message, const char *mailbox,
                 struct solo_answer *out, struct err *e) LEADD_MUST_CHECK;
/* record "": none, as of a mail that belongs to nothing. user: of the config; NULL: the
 * operator, as by `leadctl do`. A command that is refused is an error (ERR_INPUT), and
 * nothing has changed. */
int solo_command(struct solo *s, const char *record, const char *line, const char *user,
                 struct solo_answer *out, struct err *e) LEADD_MUST_CHECK;
/* The newest call that waits, of that enrichment or endpoint, is answered with that HTTP
 * status (0: there was none) and those bytes. ERR_INPUT when none waits. */
int solo_answered(struct solo *s, const char *name, int64_t code, const char *answer,
                  struct err *e) LEADD_MUST_CHECK;
/* Time passes: what is due until then happens in order, each at its own time. */
int solo_advance(struct solo *s, int64_t to_ms, struct err *e) LEADD_MUST_CHECK;

/* ---- for replay ------------------------------------------------------------------ */

/* What has happened stays; the store does not grow for its sake. */
int solo_commit(struct solo *s, struct err *e) LEADD_MUST_CHECK;
/* Another one that goes on from here under another configuration, with a store of its
 * own at path (an empty file). NULL with e. */
struct solo *solo_fork(struct solo *s, const json_t *engine_config, const char *path,
                       struct err *e);
/* What comes in was written for another store, whose tokens are made with that key
 * (NULL: not known) and whose records have ids here that are `scale` times as large. */
void solo_foreign(struct solo *s, const unsigned char key[32], int64_t scale);
/* Of the next message: when its server had it (0: now), which mail of the outbox it
 * returns, when it is a bounce, and how it was proven to be the user's it says (proof_name()
 * of engine/proof.h; NULL: not at all), also where it may not command. */
struct solo_past {
    int64_t internal_ms, bounced;
    const char *proof;
    bool handed_on;
};
void solo_next(struct solo *s, const struct solo_past *past);
/* From now on it is counted what each rule does; NULL: nothing is counted. */
void solo_count(struct solo *s);
struct rule_count;
const struct rule_count *solo_counted(const struct solo *s, size_t rule);

int64_t solo_now(const struct solo *s);
struct db *solo_db(const struct solo *s);
struct crm *solo_crm(const struct solo *s);
/* For other files of the engine's room. */
struct engine *solo_engine(const struct solo *s);

#endif
