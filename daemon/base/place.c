/* SPDX-License-Identifier: ISC
 *
 * place - see place.h
 *
 * The IANA names are English, and one city stands for all that share its clock. Only
 * what is written by mistake again and again is here; the rest is left to the nearest
 * name.
 */
#include "base/place.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

static const struct {
    const char *city, *zone;
} places[] = {
    {"Wien", "Europe/Vienna"},          {"Graz", "Europe/Vienna"},
    {"Linz", "Europe/Vienna"},          {"Salzburg", "Europe/Vienna"},
    {"Innsbruck", "Europe/Vienna"},     {"Munich", "Europe/Berlin"},
    {"Muenchen", "Europe/Berlin"},      {"München", "Europe/Berlin"},
    {"Hamburg", "Europe/Berlin"},       {"Frankfurt", "Europe/Berlin"},
    {"Cologne", "Europe/Berlin"},       {"Bonn", "Europe/Berlin"},
    {"Zuerich", "Europe/Zurich"},       {"Zürich", "Europe/Zurich"},
    {"Bern", "Europe/Zurich"},          {"Basel", "Europe/Zurich"},
    {"Genf", "Europe/Zurich"},          {"Geneva", "Europe/Zurich"},
    {"Rom", "Europe/Rome"},             {"Roma", "Europe/Rome"},
    {"Milan", "Europe/Rome"},           {"Mailand", "Europe/Rome"},
    {"Prag", "Europe/Prague"},          {"Praha", "Europe/Prague"},
    {"Warschau", "Europe/Warsaw"},      {"Warszawa", "Europe/Warsaw"},
    {"Lissabon", "Europe/Lisbon"},      {"Lisboa", "Europe/Lisbon"},
    {"Kopenhagen", "Europe/Copenhagen"}, {"Bruessel", "Europe/Brussels"},
    {"Brüssel", "Europe/Brussels"},     {"Bruxelles", "Europe/Brussels"},
    {"Athen", "Europe/Athens"},         {"Moskau", "Europe/Moscow"},
    {"Bukarest", "Europe/Bucharest"},   {"Barcelona", "Europe/Madrid"},
    {"Lyon", "Europe/Paris"},           {"Manchester", "Europe/London"},
    {"Edinburgh", "Europe/London"},     {"Boston", "America/New_York"},
    {"Washington", "America/New_York"}, {"San_Francisco", "America/Los_Angeles"},
    {"Seattle", "America/Los_Angeles"}, {"Dallas", "America/Chicago"},
    {"Beijing", "Asia/Shanghai"},       {"Peking", "Asia/Shanghai"},
    {"Delhi", "Asia/Kolkata"},          {"Mumbai", "Asia/Kolkata"},
    {"Bangalore", "Asia/Kolkata"},
};

const char *place_zone(const char *name)
{
    const char *slash = strrchr(name, '/'), *city = slash ? slash + 1 : name;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (strcasecmp(city, places[i].city) == 0)
            return places[i].zone;
    return NULL;
}
