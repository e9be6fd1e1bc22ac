/* SPDX-License-Identifier: ISC
 *
 * round - see round.h
 *
 * state: {"n": leads ever dealt, "who": [user..], "credit": [..], "got": two hex digits
 * for each remembered lead (a place in who), "runs": [[leads, weight of who[0], ..]..]}:
 * leads that were dealt among the same members are one run; weight 0 could not.
 *
 * Why somebody can always be chosen. Let off(i) be what i's shares in the last
 * ROUND_WINDOW leads, this one included, are above what he got of them. While members
 * and weights stay the same, a window's shares do not change as it moves: off(i) rises
 * by one when a lead of his drops out of the window, and falls by one when he gets
 * one. One lead drops out at a time. So if nobody is more than one off, at most one, he
 * whose lead dropped out, can be more than one behind, and he may be chosen. If nobody
 * is, anybody may who is not ahead (off >= 0, so that he ends at -1 or above), and there
 * is one, since the offs of all add up to the lead that is being dealt. As members
 * change, several can be late at the same time; then who must get a lead within k leads
 * from now is counted for each k (window_due), and a k as full as it can be leaves only
 * those. When even that cannot be kept, or somebody is owed nearly a whole lead, the
 * credit alone decides.
 */
#include "crm/round.h"

#include <string.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"

#define KEPT (ROUND_WINDOW - 1) /* with the lead that is being dealt it is a window */
#define PLACES 256              /* that two hex digits can name */
#define EPS INT64_C(10000)      /* what rounding of 100 shares may add up to, and more */
#define LATE (ROUND_ONE / 100 * 125)
#define CREDIT_MAX (4 * ROUND_ONE) /* of a state that makes sense */

struct round {
    const char *who[PLACES]; /* borrowed from the members and the state */
    size_t count;            /* of who: members first */
    int64_t credit[PLACES];
    int got[ROUND_WINDOW];   /* the oldest first */
    int run[ROUND_WINDOW];   /* of each, which run */
    size_t kept;
    int64_t (*weight)[PLACES]; /* own; of each run */
    size_t runs;
    int64_t dealt;
};

static int round_place(struct round *r, const char *user, bool add)
{
    for (size_t i = 0; i < r->count; i++)
        if (!strcmp(r->who[i], user))
            return (int)i;
    if (!add || r->count == PLACES)
        return -1;
    r->who[r->count] = user;
    return (int)r->count++;
}

static int hex_digit(char c)
{
    const char *at = strchr("0123456789abcdef", c);
    return c && at ? (int)(at - "0123456789abcdef") : -1;
}

/* What is remembered of the leads; false when it makes no sense. */
static bool round_read_leads(struct round *r, const json_t *state, const int *place, size_t places)
{
    const json_t *runs = json_get_arr(state, "runs"), *run;
    const char *got = json_get_str(state, "got", "");
    size_t i, n = strlen(got) / 2;
    if (n > KEPT || json_array_size(runs) > KEPT)
        return false;
    json_array_foreach((json_t *)runs, i, run) {
        json_int_t leads = json_integer_value(json_array_get(run, 0));
        for (size_t k = 0; k < places; k++) {
            int64_t w = json_integer_value(json_array_get(run, k + 1));
            if (w < 0 || w > BOUND_POOL_WEIGHT)
                return false;
            r->weight[i][place[k]] = w;
        }
        for (; leads > 0 && r->kept < n; leads--, r->kept++) {
            int a = hex_digit(got[2 * r->kept]), b = hex_digit(got[2 * r->kept + 1]);
            if (a < 0 || b < 0 || (size_t)(a * 16 + b) >= places)
                return false;
            r->got[r->kept] = place[a * 16 + b];
            r->run[r->kept] = (int)i;
        }
    }
    r->runs = json_array_size(runs);
    return r->kept == n;
}

static void round_read(struct round *r, const json_t *state, const struct round_member *m, size_t n)
{
    const json_t *who = json_get_arr(state, "who"), *credit = json_get_arr(state, "credit");
    int place[PLACES];
    size_t places = json_array_size(who), runs = json_array_size(json_get_arr(state, "runs"));
    runs = 1 + (runs > KEPT ? KEPT : runs); /* this lead may begin one; a row is 2 KB */
    memset(r, 0, sizeof(*r));
    r->weight = mem_array(runs, sizeof(*r->weight));
    for (size_t i = 0; i < n; i++)
        r->who[r->count++] = m[i].user;
    bool ok = places <= PLACES;
    for (size_t i = 0; ok && i < places; i++) {
        const char *user = json_string_value(json_array_get(who, i));
        place[i] = user ? round_place(r, user, true) : -1;
        ok = place[i] >= 0;
        int64_t c = json_integer_value(json_array_get(credit, i));
        if (ok && c < CREDIT_MAX && c > -CREDIT_MAX)
            r->credit[place[i]] = c;
    }
    if (!ok || !round_read_leads(r, state, place, places)) {
        r->kept = r->runs = 0; /* the window begins anew */
        memset(r->weight, 0, runs * sizeof(*r->weight));
    }
    r->dealt = json_get_int(state, "n", 0);
}

static void round_done(struct round *r)
{
    mem_free(r->weight);
}

/* ---- shares ------------------------------------------------------------------ */

static int64_t weights_sum(const int64_t *w, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += w[i];
    return sum;
}

static int64_t round_share(const struct round *r, int run, int64_t sum, size_t i)
{
    return sum > 0 ? r->weight[run][i] * ROUND_ONE / sum : 0;
}

/* The shares of i in each remembered lead. */
static void round_shares(const struct round *r, const int64_t *sums, size_t i, int64_t *out)
{
    for (size_t k = 0; k < r->kept; k++)
        out[k] = round_share(r, r->run[k], sums[r->run[k]], i);
}

static void round_sums(const struct round *r, int64_t *sums)
{
    for (size_t i = 0; i < r->runs; i++)
        sums[i] = weights_sum(r->weight[i], r->count);
}

/* ---- windows ------------------------------------------------------------------- */

struct window {
    unsigned all[ROUND_WINDOW + 1]; /* the sums of due */
    struct {
        int64_t off;                         /* before this lead is dealt */
        unsigned char due[ROUND_WINDOW + 1]; /* leads he must get within k from now */
    } of[]; /* of each member */
};

/* How i would stand in the windows to come if he got nothing. */
static void window_due(const struct round *r, struct window *w, const int64_t *past, int64_t share,
                       size_t i)
{
    int64_t off = share;
    unsigned most = 0;
    for (size_t k = 0; k < r->kept; k++)
        off += past[k] - (r->got[k] == (int)i ? ROUND_ONE : 0);
    w->of[i].off = off;
    for (size_t k = 1; k <= ROUND_WINDOW; k++) {
        int64_t over = off - ROUND_ONE - EPS;
        unsigned need = over > 0 ? (unsigned)((over + ROUND_ONE - 1) / ROUND_ONE) : 0;
        if (need > most)
            most = need > ROUND_WINDOW ? ROUND_WINDOW : need;
        w->of[i].due[k] = (unsigned char)most;
        w->all[k] += most;
        off += share;
        if (r->kept + k > KEPT) { /* the window is full, and its oldest lead drops out */
            size_t old = r->kept + k - ROUND_WINDOW;
            if (old < r->kept)
                off += (r->got[old] == (int)i ? ROUND_ONE : 0) - past[old];
        }
    }
}

static bool window_allows(const struct window *w, size_t i)
{
    if (w->of[i].off < -EPS)
        return false;
    for (size_t k = 1; k <= ROUND_WINDOW; k++)
        if (w->all[k] >= k && w->of[i].due[k] == 0)
            return false;
    return true;
}

static size_t highest(const struct round *r, const struct round_member *m, size_t n,
                      const struct window *w)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (m[i].can && (!w || (r->credit[i] >= -EPS && window_allows(w, i))) &&
            (best == SIZE_MAX || r->credit[i] > r->credit[best]))
            best = i;
    return best;
}

static size_t round_choose(const struct round *r, const struct round_member *m, size_t n,
                           const int64_t *share)
{
    size_t first = highest(r, m, n, NULL);
    int64_t past[ROUND_WINDOW], sums[ROUND_WINDOW] = {0};
    if (r->credit[first] >= LATE)
        return first;
    struct window *w AUTO_FREE = mem_alloc(sizeof(*w) + n * sizeof(w->of[0]));
    round_sums(r, sums);
    for (size_t i = 0; i < n; i++)
        if (m[i].can) {
            round_shares(r, sums, i, past);
            window_due(r, w, past, share[i], i);
        }
    size_t best = highest(r, m, n, w);
    return best == SIZE_MAX ? first : best;
}

/* ---- writing --------------------------------------------------------------------- */

/* Is the place named by a member or a remembered lead? */
static bool round_needs(const struct round *r, size_t members, size_t i)
{
    if (i < members)
        return true;
    for (size_t k = 0; k < r->kept; k++)
        if (r->weight[r->run[k]][i] > 0)
            return true;
    return false;
}

static json_t *round_write_runs(const struct round *r, const int *old, size_t places)
{
    json_t *runs = json_array();
    for (size_t k = 0, end; k < r->kept; k = end) {
        for (end = k; end < r->kept && r->run[end] == r->run[k];)
            end++;
        json_t *run = json_array();
        json_array_append_new(run, json_integer((json_int_t)(end - k)));
        for (size_t i = 0; i < places; i++)
            json_array_append_new(run, json_integer(r->weight[r->run[k]][old[i]]));
        json_array_append_new(runs, run);
    }
    return runs;
}

static void round_write(const struct round *r, size_t members, json_t *state)
{
    json_t *who = json_array(), *credit = json_array();
    int old[PLACES];
    unsigned char place[PLACES] = {0}, got[ROUND_WINDOW];
    char hex[2 * ROUND_WINDOW + 1];
    size_t places = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (!round_needs(r, members, i))
            continue;
        place[i] = (unsigned char)places;
        old[places++] = (int)i;
        json_array_append_new(who, json_string(r->who[i]));
        json_array_append_new(credit, json_integer(r->credit[i]));
    }
    for (size_t k = 0; k < r->kept; k++)
        got[k] = place[r->got[k]];
    text_hex(got, r->kept, hex);
    json_t *runs = round_write_runs(r, old, places);
    json_object_clear(state);
    json_put_int(state, "n", r->dealt);
    json_object_set_new(state, "who", who);
    json_object_set_new(state, "credit", credit);
    json_put_str(state, "got", hex);
    json_object_set_new(state, "runs", runs);
}

/* ---- dealing ---------------------------------------------------------------------- */

/* What those who are no longer members were owed, or owe, goes to who can. */
static void round_settle(struct round *r, const struct round_member *m, size_t n, int64_t sum)
{
    int64_t left = 0;
    for (size_t i = n; i < r->count; i++) {
        left += r->credit[i];
        r->credit[i] = 0;
    }
    for (size_t i = 0; left != 0 && i < n; i++)
        if (m[i].can)
            r->credit[i] += left * m[i].weight / sum;
}

static void round_remember(struct round *r, const struct round_member *m, size_t n, size_t chosen)
{
    int64_t now[PLACES] = {0};
    size_t run = r->kept ? (size_t)r->run[r->kept - 1] : 0;
    for (size_t i = 0; i < n; i++)
        now[i] = m[i].can ? m[i].weight : 0;
    if (!r->kept || memcmp(now, r->weight[run], sizeof(now)) != 0) {
        run = r->kept ? run + 1 : 0;
        memcpy(r->weight[run], now, sizeof(now));
    }
    r->got[r->kept] = (int)chosen;
    r->run[r->kept++] = (int)run;
    if (r->kept == ROUND_WINDOW) {
        r->kept--;
        memmove(r->got, r->got + 1, r->kept * sizeof(*r->got));
        memmove(r->run, r->run + 1, r->kept * sizeof(*r->run));
    }
}

size_t round_next(json_t *state, const struct round_member *m, size_t n)
{
    struct round r;
    int64_t share[PLACES] = {0}, sum = 0, given = 0;
    LEADD_ASSERT(n <= BOUND_POOL_MEMBERS);
    for (size_t i = 0; i < n; i++)
        sum += m[i].can ? m[i].weight : 0;
    LEADD_ASSERT(sum > 0);
    round_read(&r, state, m, n);
    round_settle(&r, m, n, sum);
    for (size_t i = 0; i < n; i++)
        if (m[i].can) {
            share[i] = m[i].weight * ROUND_ONE / sum;
            r.credit[i] += share[i];
            given += share[i];
        }
    size_t chosen = round_choose(&r, m, n, share);
    r.credit[chosen] -= given; /* not ROUND_ONE: so nothing is lost by rounding */
    round_remember(&r, m, n, chosen);
    r.dealt++;
    round_write(&r, n, state);
    round_done(&r);
    return chosen;
}

int64_t round_dealt(const json_t *state)
{
    return json_get_int(state, "n", 0);
}

bool round_take_back(json_t *state, const char *user)
{
    struct round r;
    int64_t given = 0;
    round_read(&r, state, NULL, 0);
    int place = round_place(&r, user, false);
    bool last = r.kept > 0 && place >= 0 && r.got[r.kept - 1] == place;
    if (last) {
        int run = r.run[r.kept - 1];
        int64_t sum = weights_sum(r.weight[run], r.count);
        for (size_t i = 0; i < r.count; i++) {
            r.credit[i] -= round_share(&r, run, sum, i);
            given += round_share(&r, run, sum, i);
        }
        r.credit[place] += given;
        r.kept--;
        r.dealt--;
        round_write(&r, r.count, state);
    }
    round_done(&r);
    return last;
}

void round_account(const json_t *state, const char *user, struct round_account *out)
{
    struct round r;
    int64_t past[ROUND_WINDOW], sums[ROUND_WINDOW] = {0};
    *out = (struct round_account){0};
    round_read(&r, state, NULL, 0);
    int place = round_place(&r, user, false);
    if (place >= 0) {
        out->credit = r.credit[place];
        round_sums(&r, sums);
        round_shares(&r, sums, (size_t)place, past);
    }
    for (size_t k = 0; place >= 0 && k < r.kept; k++) {
        out->share += past[k];
        if (r.got[k] != place)
            continue;
        out->got++;
        out->since = (int)(r.kept - k);
    }
    round_done(&r);
}
