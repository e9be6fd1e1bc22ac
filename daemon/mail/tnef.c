/* SPDX-License-Identifier: ISC
 *
 * tnef - see tnef.h
 */
#include "mail/tnef.h"

#include <stdio.h>
#include <string.h>
#include <ytnef.h>

#include "base/bounds.h"
#include "base/mem.h"
#include "base/text.h"
#include "mail/charset.h"
#include "mail/flow.h"
#include "mail/html.h"
#include "mail/rtf.h"

#define TNEF_SIGNATURE "\x78\x9f\x3e\x22"
#define TNEF_ATTACHMENTS 200
#define TNEF_ATTRIBUTES 64 /* of the message; some thirty are defined */
#define RTF_TIMES 4 /* of the text limit: RTF that is read */
#define TNEF_OBJECT_HEAD 16 /* a GUID stands in front of an object's bytes */

static const variableLength *property(MAPIProps *props, unsigned type, unsigned id)
{
    const variableLength *v = MAPIFindProperty(props, PROP_TAG(type, id));
    return v != MAPI_UNDEFINED && v->data && v->size > 0 ? v : NULL;
}

static const variableLength *any_property(MAPIProps *props, unsigned id)
{
    static const unsigned types[] = {PT_UNICODE, PT_STRING8, PT_BINARY, PT_OBJECT};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const variableLength *v = property(props, types[i], id);
        if (v)
            return v;
    }
    return NULL;
}

/* A string of the file, up to its NUL; own. */
static char *string_of(struct mail_ctx *c, const variableLength *v, const char *charset)
{
    AUTO_BUF struct buf out;
    size_t n = strnlen((const char *)v->data, (size_t)v->size);
    buf_init(&out, n * 4 + 64);
    if (text_is_utf8((const char *)v->data, n))
        charset = "utf-8"; /* libytnef has converted Unicode strings */
    mail_to_utf8(c, &out, (const char *)v->data, n, charset, "winmail.dat");
    return buf_take(&out);
}

static void code_page(const TNEFStruct *t, char out[32])
{
    const BYTE *p = t->CodePage.data;
    unsigned page = 0;
    if (p && t->CodePage.size >= 4)
        page = p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16;
    snprintf(out, 32, "windows-%u", page >= 874 && page <= 1258 ? page : 1252);
}

static void read_rtf(struct mail_ctx *c, const variableLength *packed, const char *charset,
                     struct buf *text)
{
    AUTO_BUF struct buf rtf;
    buf_init(&rtf, c->lim->text * RTF_TIMES);
    if (mail_rtf_unpack(&rtf, (const char *)packed->data, (size_t)packed->size) < 0)
        mail_defect(c, "the RTF body in winmail.dat is broken: only a part of it was read");
    mail_rtf_to_text(c, text, rtf.data, rtf.len, charset);
}

static void read_body(struct mail_ctx *c, TNEFStruct *t, const char *charset, struct buf *text)
{
    const variableLength *html = any_property(&t->MapiProperties, PR_BODY_HTML);
    const variableLength *plain = any_property(&t->MapiProperties, PR_BODY);
    const variableLength *rtf = any_property(&t->MapiProperties, PR_RTF_COMPRESSED);
    if (!plain && t->body.data && t->body.size > 0)
        plain = &t->body;
    if (plain) {
        AUTO_FREE char *s = string_of(c, plain, charset);
        mail_text_clean(c, text, s, strlen(s));
    } else if (html) {
        AUTO_FREE char *s = string_of(c, html, charset);
        mail_html_to_text(c, text, s, strlen(s), false);
    } else if (rtf) {
        read_rtf(c, rtf, charset, text);
    }
}

static void give_attachment(struct mail_ctx *c, Attachment *a, const char *charset,
                            mail_tnef_fn fn, void *arg)
{
    const variableLength *name = any_property(&a->MAPI, PR_ATTACH_LONG_FILENAME);
    const variableLength *mime = any_property(&a->MAPI, PR_ATTACH_MIME_TAG);
    const variableLength *object = property(&a->MAPI, PT_OBJECT, PR_ATTACH_DATA_OBJ);
    if (!name && a->Title.data && a->Title.size > 0)
        name = &a->Title;
    const void *p = a->FileData.data;
    size_t n = p && a->FileData.size > 0 ? (size_t)a->FileData.size : 0;
    if (n == 0 && object && object->size > TNEF_OBJECT_HEAD) {
        p = object->data + TNEF_OBJECT_HEAD;
        n = (size_t)object->size - TNEF_OBJECT_HEAD;
    }
    AUTO_FREE char *shown = name ? string_of(c, name, charset) : NULL;
    AUTO_FREE char *type = mime ? string_of(c, mime, charset) : NULL;
    if (n > 0 || shown)
        fn(arg, shown, type && strchr(type, '/') ? type : "application/octet-stream", p, n);
}

static uint32_t little_32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A bit for each attribute that belongs to an attachment; 0: to the message. */
static unsigned attachment_bit(uint32_t id)
{
    static const uint32_t ids[] = {attAttachData, attAttachTitle, attAttachMetaFile,
                                   attAttachCreateDate, attAttachModifyDate,
                                   attAttachTransportFilename, attAttachment};
    for (unsigned i = 0; i < ARRAY_LEN(ids); i++)
        if (ids[i] == id)
            return 1u << i;
    return 0;
}

/* How many bytes libytnef may see: it loses the memory of an attribute that comes
 * a second time, or belongs to an attachment that has not begun, so the file ends
 * in front of one. Each is a level byte, an id, a size, the bytes and a sum. */
static size_t length_without_repeats(const unsigned char *p, size_t n)
{
    uint32_t seen[TNEF_ATTRIBUTES];
    size_t count = 0, at = 6; /* behind signature and key */
    unsigned attached = ~0u;  /* bits of the attachment that has begun */
    while (n - at >= 11) {
        uint32_t id = little_32(p + at + 1), size = little_32(p + at + 5);
        unsigned bit = attachment_bit(id);
        if (id == attAttachRenddata) {
            attached = 0;
        } else if (bit) {
            if (attached & bit)
                return at;
            attached |= bit;
        } else {
            for (size_t i = 0; i < count; i++)
                if (seen[i] == id)
                    return at;
            if (count == TNEF_ATTRIBUTES)
                return at;
            seen[count++] = id;
        }
        if (size > n - at - 11)
            break;
        at += 11 + (size_t)size;
    }
    return n;
}

int mail_tnef_read(struct mail_ctx *c, const char *p, size_t n, struct buf *text, mail_tnef_fn fn,
                   void *arg)
{
    TNEFStruct t = {.Debug = 0}; /* TNEFInitialize leaves Debug alone */
    char charset[32];
    size_t count = 0;
    if (n < 8 || n > BOUND_MAIL_SIZE || memcmp(p, TNEF_SIGNATURE, 4) != 0) {
        mail_defect(c, "winmail.dat is no TNEF: kept as an attachment");
        return -1;
    }
    /* libytnef takes a writable pointer */
    AUTO_FREE char *copy = mem_strn(p, n);
    size_t most = length_without_repeats((const unsigned char *)copy, n);
    TNEFInitialize(&t);
    int rc = TNEFParseMemory((BYTE *)copy, (long)most, &t);
    if (most < n)
        rc = -1;
    code_page(&t, charset);
    read_body(c, &t, charset, text);
    for (Attachment *a = t.starting_attach.next; a && count < TNEF_ATTACHMENTS; a = a->next) {
        give_attachment(c, a, charset, fn, arg);
        count++;
    }
    TNEFFree(&t);
    if (rc < 0)
        mail_defect(c, "winmail.dat is broken: only a part of it was read");
    return rc < 0 && count == 0 && text->len == 0 ? -1 : 0;
}

bool mail_tnef_class(const char *p, size_t n, char out[MAIL_TNEF_CLASS])
{
    const unsigned char *u = (const unsigned char *)p;
    size_t at = 6; /* behind signature and key */
    if (n < at || memcmp(p, TNEF_SIGNATURE, 4) != 0)
        return false;
    for (int i = 0; i < TNEF_ATTRIBUTES && n - at >= 11; i++) {
        uint32_t id = little_32(u + at + 1), size = little_32(u + at + 5);
        if (size > n - at - 11)
            return false;
        if (id == attMessageClass) {
            size_t len = strnlen(p + at + 9, size);
            if (len == 0 || len >= MAIL_TNEF_CLASS)
                return false;
            memcpy(out, p + at + 9, len);
            out[len] = '\0';
            return text_is_utf8(out, len);
        }
        at += 11 + size;
    }
    return false;
}
