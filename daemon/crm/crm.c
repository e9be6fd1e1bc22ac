/* SPDX-License-Identifier: ISC
 *
 * crm - the configured CRM, made once
 */
#include "crm/crm.h"

#include <string.h>

#include "base/buf.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "crm/address.h"
#include "crm/assign.h"
#include "crm/build.h"
#include "crm/digest.h"
#include "crm/ctx.h"
#include "crm/enrich.h"
#include "crm/fields.h"
#include "crm/happening.h"
#include "crm/identity.h"
#include "crm/language.h"
#include "crm/notice_words.h"
#include "crm/templates.h"
#include "rule/ruleset.h"
#include "rule/broadcast.h"
#include "rule/sequence.h"
#include "store/user.h"

#define ERRORS_MAX 50

const struct ruleset *crm_rules(const struct crm *crm)
{
    return crm->rules;
}

const struct rule_fields *crm_fields(const struct crm *crm)
{
    return crm_fieldset_rules(crm->fieldset);
}

const json_t *crm_config(const struct crm *crm)
{
    return crm->config;
}

const json_t *crm_user(const struct crm *crm, const char *name)
{
    return json_get_obj(crm->users, name);
}

const json_t *crm_mail_list(const struct crm *crm, const char *name)
{
    return json_get_obj(json_get_obj(crm->config, "lists"), name);
}

const char *crm_user_by_address(const struct crm *crm, const char *channel, const char *value)
{
    char base[CRM_ADDRESS_MAX];
    AUTO_FREE char *key = mem_printf("%s:%s", channel, value);
    const char *user = json_get_str(crm->user_addresses, key, NULL);
    if (user || !strchr(value, '+') || strcmp(channel, "email") != 0 || crm_email_base(value, base) < 0)
        return user;
    return crm_user_by_address(crm, channel, base); /* anna+news@ is anna@ */
}

const char *crm_setting(const struct crm *crm, const char *key, const char *def)
{
    const char *s = json_get_str(crm->settings, key, NULL);
    return s && *s ? s : def;
}

/* ---- users' addresses ---------------------------------------------------- */

static void user_address_add(struct crm *crm, const char *user, const char *at, const char *channel,
                             const char *text, struct errlist *errors)
{
    char folded[CRM_ADDRESS_MAX];
    bool phone = !strcmp(channel, "phone");
    if (!text || !*text)
        return;
    if (phone ? crm_phone_fold(text, crm->country, folded, sizeof(folded)) < 0
              : crm_email_fold(text, folded) < 0) {
        errlist_add(errors, at, "users: %s of %s is no %s: %s", channel, user,
                    phone ? "phone number" : "email address", text);
        return;
    }
    AUTO_FREE char *key = mem_printf("%s:%s", channel, folded);
    const char *other = json_get_str(crm->user_addresses, key, NULL);
    if (other && strcmp(other, user))
        errlist_add(errors, at, "users: %s and %s have the same %s: %s", other, user, channel,
                    folded);
    json_put_str(crm->user_addresses, key, user);
}

static void users_index(struct crm *crm, struct errlist *errors)
{
    const char *name;
    const json_t *u, *a;
    size_t i;
    crm->user_addresses = json_object();
    json_object_foreach((json_t *)crm->users, name, u) {
        const char *at = json_get_str(u, "at", NULL);
        user_address_add(crm, name, at, "email", json_get_str(u, "email", NULL), errors);
        user_address_add(crm, name, at, "phone", json_get_str(u, "phone", NULL), errors);
        json_array_foreach(json_get_arr(u, "addresses"), i, a) {
            const char *s = json_string_value(a);
            user_address_add(crm, name, at, s && strchr(s, '@') ? "email" : "phone", s, errors);
        }
    }
}

/* ---- rules --------------------------------------------------------------- */

static int check_do(void *arg, const char *text, struct err *e, int *col_out)
{
    static const struct crm_actor rule = {.kind = CRM_BY_RULE, .name = ""};
    if (crm_command_check(arg, text, col_out, e) < 0)
        return -1;
    return crm_command_allowed(arg, text, &rule)
               ? 0 : err_set(e, ERR_INPUT, "%.*s is for people: no rule may use it",
                             (int)strcspn(text, " "), text);
}

static bool of_event(void *arg, int field)
{
    const struct crm *crm = arg;
    return crm_field_is_of_event(crm_fieldset_get(crm->fieldset, field));
}

static bool is_dear(void *arg, int field)
{
    const struct crm *crm = arg;
    return crm_field_is_dear(crm_fieldset_get(crm->fieldset, field));
}

static void rules_build(struct crm *crm, struct errlist *errors)
{
    crm->rule_events = mem_array(crm_events_count, sizeof(*crm->rule_events));
    for (size_t i = 0; i < crm_events_count; i++) {
        const struct crm_event_row *row = &crm_events_table[i];
        crm->rule_events[i] = (struct rule_event){
            row->name, row->changes ? crm_entity_name(row->entity) : NULL};
    }
    crm->rule_env = mem_alloc(sizeof(*crm->rule_env));
    *crm->rule_env = (struct ruleset_env){.fields = crm_fieldset_rules(crm->fieldset),
                                          .events = crm->rule_events,
                                          .event_count = crm_events_count,
                                          .time_zone = crm->zone,
                                          .calendar = crm_setting(crm, "calendar", NULL),
                                          .check_do = check_do,
                                          .of_event = of_event,
                                          .is_dear = is_dear,
                                          .arg = crm};
    crm->rules = ruleset_new(crm->config, crm->rule_env, errors);
}

/* Calendars with mistakes are told once, with the rules. */
static void sequences_build(struct crm *crm, struct errlist *errors)
{
    const json_t *all = json_get_obj(crm->config, "sequences"), *def;
    const char *name;
    struct errlist told AUTO_ERRLIST;
    errlist_init(&told, 1);
    struct calendars *try = calendars_new(json_get_obj(crm->config, "calendars"), &told);
    calendars_free(&try);
    crm->sequences = mem_array(json_object_size(all) + 1, sizeof(struct sequence *));
    json_object_foreach((json_t *)all, name, def) {
        struct sequence *q = errlist_total(&told) ? NULL
                             : sequence_new(name, def, crm->config, crm->rule_env, errors);
        if (q)
            crm->sequences[crm->sequence_count++] = q;
    }
}

/* A segment with mistakes is told once. */
static void broadcasts_build(struct crm *crm, struct errlist *errors)
{
    const json_t *all = json_get_obj(crm->config, "broadcasts"), *def;
    const char *name;
    crm->segments = segments_new(json_get_obj(crm->config, "segments"), crm->config, crm->rule_env, errors);
    crm->broadcasts = mem_array(json_object_size(all) + 1, sizeof(struct broadcast *));
    json_object_foreach((json_t *)all, name, def) {
        struct broadcast *b = !crm->segments ? NULL
                              : broadcast_new(name, def, crm->config, crm->rule_env, errors);
        if (b)
            crm->broadcasts[crm->broadcast_count++] = b;
    }
}

const struct segments *crm_segments(const struct crm *crm)
{
    return crm->segments;
}

struct segments *crm_segments_then(const struct crm *crm, const json_t *defs, struct errlist *errors)
{
    return segments_new(defs, crm->config, crm->rule_env, errors);
}

struct broadcast *crm_broadcast_at(const struct crm *crm, size_t i)
{
    return i < crm->broadcast_count ? crm->broadcasts[i] : NULL;
}

struct broadcast *crm_broadcast(const struct crm *crm, const char *name)
{
    size_t i = 0;
    while (i < crm->broadcast_count && strcmp(crm->broadcasts[i]->name, name) != 0)
        i++;
    return crm_broadcast_at(crm, i);
}

struct broadcast *crm_broadcast_then(const struct crm *crm, const char *name, const json_t *source,
                                     struct errlist *errors)
{
    return broadcast_then(name, source, crm->config, crm->rule_env, errors);
}

struct sequence *crm_sequence_at(const struct crm *crm, size_t i)
{
    return i < crm->sequence_count ? crm->sequences[i] : NULL;
}

struct sequence *crm_sequence(const struct crm *crm, const char *name)
{
    size_t i = 0;
    while (i < crm->sequence_count && strcmp(sequence_name(crm->sequences[i]), name) != 0)
        i++;
    return crm_sequence_at(crm, i);
}

struct sequence *crm_sequence_then(const struct crm *crm, const char *name, const json_t *source,
                                   struct errlist *errors)
{
    return sequence_new(name, source, crm->config, crm->rule_env, errors);
}

struct ruleset *crm_rules_then(const struct crm *crm, const json_t *source, json_t *lost)
{
    return ruleset_then(source, crm->rule_env, lost);
}

/* ---- life --------------------------------------------------------------------- */

struct crm *crm_build(struct db *db, const json_t *config, struct errlist *errors)
{
    struct crm *crm = mem_alloc(sizeof(*crm));
    crm->db = db;
    crm->config = json_incref((json_t *)config);
    crm->settings = json_get_obj(config, "settings");
    crm->users = json_get_obj(config, "users");
    crm->teams = json_get_obj(config, "teams");
    crm->pools = json_get_obj(config, "pools");
    crm->forms = json_get_obj(config, "forms");
    crm->source_forms = crm_source_forms(config);
    crm->stages = json_get_arr(config, "stages");
    crm->templates_cfg = json_get_obj(config, "templates");
    crm->endpoints = json_get_obj(config, "endpoints");
    crm->enrichments = json_get_obj(config, "enrichments");
    crm->zone = crm_setting(crm, "time_zone", "UTC");
    crm->country = crm_setting(crm, "default_country", "ZZ");
    crm->currency = crm_setting(crm, "currency", "EUR");
    crm->countries = json_object();
    crm->zones = json_object();
    crm->languages = json_object();
    crm->locales = crm_locales_new();
    users_index(crm, errors);
    crm->fieldset = crm_fieldset_new(config, errors);
    crm_templates_build(crm, errors);
    crm_enrich_check(crm, errors);
    crm_separate_check(crm, errors);
    crm_notices_check(crm, errors);
    rules_build(crm, errors);
    sequences_build(crm, errors);
    broadcasts_build(crm, errors);
    crm->calendars = crm->rules ? ruleset_calendars(crm->rules) : NULL;
    crm->calendar = calendars_find(crm->calendars, crm_setting(crm, "calendar", ""));
    crm->local = zone_new(crm->zone, NULL);
    if (!crm->local) /* which is told elsewhere */
        crm->local = zone_new("UTC", NULL);
    crm->territories = territories_new(crm, json_get_obj(config, "territories"), errors);
    assign_check(crm, errors);
    crm_digest_check(crm, errors);
    return crm;
}

struct crm *crm_new(struct db *db, const json_t *engine_config, int64_t now_ms, struct err *e)
{
    struct errlist errors AUTO_ERRLIST;
    errlist_init(&errors, ERRORS_MAX);
    struct crm *crm = crm_build(db, engine_config, &errors);
    if (errlist_total(&errors) > 0) {
        struct buf text;
        buf_init(&text, KIB(8));
        errlist_print(&errors, &text);
        err_set(e, ERR_PERM, "%s", text.data);
        buf_done(&text);
        crm_free(&crm);
        return NULL;
    }
    if (user_sync(db, crm->users, crm->teams, now_ms, e) < 0 || assign_prepare(crm, e) < 0)
        crm_free(&crm);
    return crm;
}

void crm_free(struct crm **p)
{
    struct crm *crm = *p;
    *p = NULL;
    if (!crm)
        return;
    territories_free(&crm->territories);
    zone_free(&crm->local);
    json_decref(crm->absences);
    json_decref(crm->countries);
    json_decref(crm->zones);
    json_decref(crm->languages);
    crm_locales_free(&crm->locales);
    for (size_t i = 0; i < crm->sequence_count; i++)
        sequence_free(&crm->sequences[i]);
    mem_free(crm->sequences);
    for (size_t i = 0; i < crm->broadcast_count; i++)
        broadcast_free(&crm->broadcasts[i]);
    mem_free(crm->broadcasts);
    segments_free(&crm->segments);
    json_decref(crm->source_forms);
    ruleset_free(&crm->rules);
    mem_free(crm->rule_env);
    mem_free(crm->rule_events);
    crm_templates_free(crm);
    crm_fieldset_free(&crm->fieldset);
    json_decref(crm->user_addresses);
    json_decref(crm->config);
    mem_free(crm);
}
