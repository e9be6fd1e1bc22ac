/* SPDX-License-Identifier: ISC
 *
 * curl_send - one libcurl connection, used again for mail after mail
 *
 *   curl_send PORT COUNT MAIL-FILE
 *
 * What leadd's courier is compared with: nothing is claimed, marked or kept.
 * One line of JSON on stdout.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"

struct mail {
    char *p;
    size_t n, at;
};

static size_t on_read(char *to, size_t size, size_t count, void *arg)
{
    struct mail *m = arg;
    size_t n = m->n - m->at < size * count ? m->n - m->at : size * count;
    memcpy(to, m->p + m->at, n);
    m->at += n;
    return n;
}

static int mail_load(struct mail *m, const char *path)
{
    FILE *f = fopen(path, "rb");
    m->p = malloc(1 << 20);
    if (!f || !m->p) {
        perror(path);
        return -1;
    }
    m->n = fread(m->p, 1, 1 << 20, f);
    fclose(f);
    return 0;
}

static int mail_send(CURL *easy, struct mail *m, long n)
{
    char to[128];
    snprintf(to, sizeof(to), "p%ld@shop%ld.example", n, n);
    struct curl_slist *list = curl_slist_append(NULL, to);
    m->at = 0;
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, list);
    CURLcode rc = curl_easy_perform(easy);
    curl_slist_free_all(list);
    if (rc != CURLE_OK)
        fprintf(stderr, "curl_send: %s\n", curl_easy_strerror(rc));
    return rc == CURLE_OK ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct mail m = {0};
    char url[64];
    if (argc != 4) {
        fprintf(stderr, "usage: curl_send PORT COUNT MAIL-FILE\n");
        return 64;
    }
    long count = strtol(argv[2], NULL, 10);
    snprintf(url, sizeof(url), "smtp://127.0.0.1:%lu/bench", strtoul(argv[1], NULL, 10));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || mail_load(&m, argv[3]) < 0)
        return 71;
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, "sales@example.com");
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, &m);
    double began = now_s(), cpu = cpu_s();
    for (long i = 0; i < count; i++)
        if (mail_send(easy, &m, i) < 0)
            return 1;
    printf("{\"mails\": %ld, \"seconds\": %.6f, \"cpu\": %.3f}\n", count, now_s() - began,
           cpu_s() - cpu);
    curl_easy_cleanup(easy);
    curl_global_cleanup();
    free(m.p);
    return 0;
}
