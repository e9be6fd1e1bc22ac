/* SPDX-License-Identifier: ISC
 *
 * read - the values with a form of their own, and the steps of config_load
 */
#ifndef LEADD_CONFIG_READ_H
#define LEADD_CONFIG_READ_H

#include "config/schema.h"

/* A text, number or truth, or groups and lists of them, as they stand. */
json_t *config_read_data(struct walk *w, const struct schema_key *key, const struct place *p);
/* "self" -> {}, or a group of users by role. */
json_t *config_read_run_as(struct walk *w, const struct schema_key *key, const struct place *p);
/* { POSTED = FIELD; } or ( { from; to } ) -> { POSTED: {to, at} } */
json_t *config_read_form_fields(struct walk *w, const struct schema_key *key,
                                const struct place *p);
/* true or "rule" -> "rule", "all" -> "all"; false -> nothing */
json_t *config_read_stop(struct walk *w, const struct schema_key *key, const struct place *p);
/* { NAME = [..] or "file"; } -> { NAME: {values, at} } */
json_t *config_read_tables(struct walk *w, const struct schema_key *key, const struct place *p);
/* "2026-12-25", "at.ics" or a list of both -> [ {text, at, col} or text ] */
json_t *config_read_holidays(struct walk *w, const struct schema_key *key, const struct place *p);
/* [ NAME.. ] or ( { user; weight } ) -> [ {user, weight, at} ] */
json_t *config_read_members(struct walk *w, const struct schema_key *key, const struct place *p);

/* { NAME : { at; given; expect } } -> the same with "time" for at (tests.c) */
json_t *config_read_tests(struct walk *w, const struct schema_key *key, const struct place *p);

extern const struct schema schema_run_as, schema_member, schema_test, schema_form;
extern const struct schema schema_source, schema_gateway, schema_verify;

/* Reads the rule files of dir into tree's rules, tables, pools and tests. named says
 * where dir was set (NULL: it is the default and may be missing). */
void config_read_rules(struct walk *w, json_t *tree, const char *dir, const char *named);
/* Reads the templates of dir into tree's templates, and what they attach (attach.c) into
 * tree's attachments. */
void config_read_templates(struct walk *w, json_t *tree, const char *dir, const char *named);
void config_read_attachments(struct walk *w, json_t *tree, const char *dir);

/* What no single row can say: names that must exist, settings that go together,
 * passwords in the open. root is the main file's tree of places. */
void config_check(struct walk *w, const struct scan_node *root, json_t *tree);

#endif
