/* SPDX-License-Identifier: ISC
 *
 * schema_crm - tables of the CRM: companies, contacts, leads, deals, cases,
 * activities, tasks
 */
#include "store/migrate.h"

const char schema_crm_1[] = "";
