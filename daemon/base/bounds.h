/* SPDX-License-Identifier: ISC
 *
 * bounds - every limit on what comes from outside, in one place
 *
 * Sizes are bytes, times are milliseconds, the rest are counts. A limit that a
 * sysadmin may change is the default of a config setting; it is named here so
 * that nothing grows without a number beside it.
 */
#ifndef LEADD_BOUNDS_H
#define LEADD_BOUNDS_H

#include "base/units.h"

/* frames between roles */
#define BOUND_FRAME_JSON MIB(4)          /* JSON part of one frame */
#define BOUND_FRAME_INLINE MIB(1)        /* raw bytes carried inline; more travels as a memfd */
#define BOUND_FRAME_RAW MIB(128)         /* raw bytes of one frame in all */
#define BOUND_CHAN_QUEUE_BYTES MIB(64)   /* unsent bytes of one channel before it is cut */
#define BOUND_JSON_DEPTH 64

/* engine */
#define BOUND_PASS_FRAMES 256
#define BOUND_PASS_MS 50
#define BOUND_STORE_MIN_FREE MIB(256)    /* room on the disk below which intake is off */
#define BOUND_STORE_WAIT_MS 5000         /* a form may wait for a database that is locked */
#define BOUND_STORE_RETRY_MS 5000        /* longest pause between tries when writing fails */
#define BOUND_WAL_BYTES MIB(32)          /* a WAL that is not in use is cut down to this */
#define BOUND_PEER_ODD 100               /* frames of one peer that were not its to send; then it is cut */
#define BOUND_PEER_QUEUE 512             /* frames of one peer that wait; then it is not read */
#define BOUND_MAILBOX_INFLIGHT 64        /* frames without receipt, per mailbox */
#define BOUND_CHAIN_DEPTH 8              /* events caused by events */
#define BOUND_GIVEN_BACK 5               /* times that a parser may end before a mail, which then waits */
#define BOUND_PARTY_BYTES KIB(64)        /* of a mail's form in which those who take part are looked for */
#define BOUND_EVENTS_PER_INPUT 128
#define BOUND_COMMANDS_PER_INPUT 128
#define BOUND_NOTIFY_WHO 50              /* recipients that one notify names */
#define BOUND_NOTICE_LINES 40            /* notices that the mail about many tells one by one */
#define BOUND_REP_LINES 20               /* commands of one mail; more are told and not done */
#define BOUND_REP_LINE KIB(8)            /* bytes of one of them */
#define BOUND_LETTER MIB(30)             /* a mail of a conversation, with what is attached */
#define BOUND_LETTER_FILES MIB(18)       /* ... before they are encoded */
#define BOUND_LETTER_TEXT KIB(256)       /* and its words */
#define BOUND_FIRINGS_PER_DAY 300        /* rules that run for one lead, case or contact in a day */
#define BOUND_TIMERS_PASS 64             /* due timers that are queued at a time */
#define BOUND_BEGIN_SLICE 50             /* records in a request of leadctl sequence start */
#define BOUND_CALLS_DONE_MS INT64_C(7776000000)    /* 90 days: how long a call that was made is told of */
#define BOUND_CALLS_FAILED_MS INT64_C(34560000000) /* 400 days: one that failed, with its words */
#define BOUND_COMMAND_WORDS KIB(16)      /* words of a rule's command with its fields filled in */
#define BOUND_TEST_MS 10000              /* for one test of the rules */
#define BOUND_TESTS_MS 40000             /* for all of them before a reload */
#define BOUND_SOLO_MOMENTS 100000        /* times that something is due while a trial's clock advances */

/* mail */
#define BOUND_MAIL_SIZE MIB(50)
#define BOUND_MAIL_HEADER_BYTES KIB(256) /* header block that is read; the rest is a defect */
#define BOUND_MAIL_FIELD KIB(64)        /* one header field; the rest of it is a defect */
#define BOUND_MAIL_HEADERS 1000
#define BOUND_MAIL_DEPTH 24
#define BOUND_MAIL_PARTS 500
#define BOUND_MAIL_TEXT KIB(512)         /* text kept in the message form */
#define BOUND_MAIL_ADDRESSES 200
#define BOUND_MAIL_REFERENCES 100
#define BOUND_MAIL_SUBJECT 998
#define BOUND_MAIL_DEFECTS 32
#define BOUND_MAIL_RESULTS 64           /* fields of one mail with results of the own server */
#define BOUND_OFFER_ADDRESSES 5         /* in the words of one mail, that are looked at ... */
#define BOUND_OFFER_BYTES 20000         /* ... in so many bytes */
#define BOUND_MAIL_CALENDAR KIB(256)    /* of an invitation that are read */
#define BOUND_MAIL_REPORT KIB(64)       /* of a returned mail's words */
#define BOUND_MAIL_ARENA MIB(96)        /* memory for the structure of one HTML text */
/* faults that may pass mark an address when there are so many, on so many days, within: */
#define BOUND_BOUNCE_TIMES 4
#define BOUND_BOUNCE_DAYS 3
#define BOUND_BOUNCE_WITHIN_MS (14 * 24 * 3600 * INT64_C(1000))
#define BOUND_PARSE_MS 10000             /* processor time of the parser for one mail */
#define BOUND_PARSE_WALL_MS MINUTE_MS    /* and time on the clock, on a busy machine */

/* web */
#define BOUND_HTTP_HEADERS KIB(16)
#define BOUND_HTTP_BODY MIB(1)
#define BOUND_HTTP_IDLE_MS 20000
#define BOUND_HTTP_LINGER_MS 1000        /* idle connections of a process that ends stay that long */
#define BOUND_HTTP_PARKED 4096
#define BOUND_HTTP_PARK_MS 10000         /* wait for an engine that is gone, then 503 */
#define BOUND_HTTP_CONNECTIONS 1024
#define BOUND_HTTP_SHARE 8               /* one address may have that part of them, ... */
#define BOUND_HTTP_SHARE_MIN 16          /* ... or so many */
#define BOUND_HTTP_BODY_MAX MIB(64)      /* that BOUND_HTTP_BODY may be set to */
#define BOUND_HTTP_HELD MIB(48)          /* bodies of all parked requests, or two of the largest */
#define BOUND_HTTP_READING MIB(64)       /* requests being read, all together, or three of the largest */
#define BOUND_HTTP_KEY 128               /* an Idempotency-Key */
#define BOUND_HTTP_ADDRESSES 4096        /* remote addresses remembered for the rate limit */
#define BOUND_HOOK_HEADERS 64            /* of a webhook that travel on, ... */
#define BOUND_HOOK_HEADER KIB(4)         /* each of so many bytes, ... */
#define BOUND_HOOK_HEADER_BYTES KIB(16)  /* all together */
#define BOUND_HOOK_PATH KIB(8)           /* with the query */
#define BOUND_HOOK_WINDOW_MS 300000      /* from ours that a signed time may be, unless it is set */
#define BOUND_HOOK_SAME_MS (10 * 60000LL) /* the same request without a name is the same event */
#define BOUND_SOURCE_LINES 2000          /* of a chat */
#define BOUND_SOURCE_ITEMS 200           /* of an order */
#define BOUND_PAGE MIB(1)                /* a page that a mail's link opens */
#define BOUND_PAGE_HEADER 300            /* of a header of who opens it, that is kept */
#define BOUND_LINKS_DO 300               /* what stands behind /do/ */
#define BOUND_LINKS_WAIT 256             /* pages of web-ui that wait for the engine */
#define BOUND_LISTS 100                  /* that people can leave: each is a box of that page */
#define BOUND_OPTOUT_LEDGER 20           /* rows of consent on the page of who holds the mail */
#define BOUND_CLICK_LINKS 50             /* of one mail that are tracked; those behind stay as they are */
#define BOUND_CLICK_URL 1000             /* bytes of one that is replaced */
#define BOUND_FORM_FIELDS 200
#define BOUND_FORM_VALUE KIB(64)
#define BOUND_FORM_DEPTH 16
#define BOUND_FORM_NAME 200              /* bytes of one posted name */
#define BOUND_FORM_TEXT KIB(512)         /* bytes of all names and values together */
#define BOUND_FORM_DEFECTS 16
#define BOUND_FORM_PART_HEADERS KIB(8)   /* header block of one multipart part */

/* config and rules */
#define BOUND_CONFIG_FILE MIB(8)         /* one file with all it includes */
#define BOUND_CONFIG_PART MIB(48)        /* one role's part of the config: 100,000 rules */
#define BOUND_CONFIG_DEPTH 16
#define BOUND_CONFIG_NAME 64             /* characters of a key or name */
#define BOUND_CONFIG_KEYS 20000          /* settings in one group, elements in one list */
#define BOUND_CONFIG_VALUES 400000       /* values in one file */
#define BOUND_CONFIG_FILES 1000          /* files in rules_dir or templates_dir */
#define BOUND_CONFIG_ERRORS 200         /* errors kept of one load; the rest are counted */
#define BOUND_EXPR_DEPTH 64
#define BOUND_EXPR_BYTES KIB(16)
#define BOUND_EXPR_NODES 4000            /* parts of one condition */
#define BOUND_REGEX_SUBJECT KIB(512)     /* text a pattern looks at; the rest is not searched */
#define BOUND_REGEX_WORK 50000000        /* weighted steps of one pattern on one text */
#define BOUND_REGEX_STEPS 1000000
#define BOUND_REGEX_DEPTH 5000
#define BOUND_REGEX_HEAP_KIB 8192
#define BOUND_FOLD_BYTES MIB(16)
#define BOUND_RULES 100000
#define BOUND_POOL_MEMBERS 200           /* users in one pool or team */
#define BOUND_POOL_WEIGHT 1000
#define BOUND_CALENDAR_FILE MIB(1)       /* an .ics file with holidays */
#define BOUND_CALENDAR_HOLIDAYS 40000    /* single days that one calendar is closed */
#define BOUND_TEMPLATE_BYTES KIB(256)
#define BOUND_TEMPLATE_OUTPUT MIB(2)
#define BOUND_TEMPLATE_TAGS 20000        /* with all partials taken in */
#define BOUND_TEMPLATE_DEPTH 16          /* sections in sections, partials in partials */
#define BOUND_ATTACH_FILE MIB(4)         /* one file that templates attach */
#define BOUND_ATTACH_MAIL MIB(8)         /* what one template attaches */
#define BOUND_ATTACH_ALL MIB(16)         /* all of them: in base64 they stand in the config's tree */
#define BOUND_ATTACH_NAME 200            /* bytes of a file's name */
#define BOUND_ATTACH_FILES 10            /* of one template */
#define BOUND_SIMULATE_BYTES MIB(1024)   /* of mails and forms */
#define BOUND_SIMULATE_ROWS 1000000      /* of what became of them */
#define BOUND_TEMPLATE_STEPS 100000      /* texts and tags of one rendering */

/* outgoing */
#define BOUND_SLOTS 65536u               /* mails the courier may have in hand */
#define BOUND_RELAYS 16
#define BOUND_RELAY_CONNECTIONS 64       /* per relay */
#define BOUND_RELAY_IDLE_MS 30000        /* an unused connection is kept that long */
#define BOUND_RELAY_DOWN_MS 30000        /* mails with a choice avoid a failed relay that long */
#define BOUND_RELAY_STUCK_MS 10000       /* all connections silent so long: others do its work */
#define BOUND_RELAY_STEP_MS 300000       /* reply to MAIL, RCPT, DATA (RFC 5321, 4.5.3.2) */
#define BOUND_RELAY_RATE 4096            /* bytes per second a relay must take at least */
#define BOUND_RELAY_QUIT_MS 2000
#define BOUND_COURIER_DRAIN_MS 600000
#define BOUND_COURIER_LINGER_MS 5000     /* for the last receipts before a drained courier ends */
#define BOUND_ENDPOINTS 64
#define BOUND_CALLS 1024                 /* that the courier has in hand */
#define BOUND_CALL_BODY KIB(256)         /* what is sent */
#define BOUND_CALL_ANSWER KIB(256)       /* what is read of an answer */
#define BOUND_CALL_HEADERS KIB(64)       /* of an answer */
#define BOUND_CALL_FIELDS 100            /* that one call names */
#define BOUND_CALL_CHAIN 4               /* answers that ask again */
#define BOUND_GATEWAYS 32
#define BOUND_MEDIA MIB(10)                  /* one that came with a text, unless a gateway says otherwise */
#define BOUND_MEDIA_COUNT 20                 /* ... of one text */
#define BOUND_MEDIA_ALL MIB(30)              /* ... and all of one text */
#define BOUND_QUERIES 256                /* questions to gateways that the courier has in hand */
#define BOUND_TEXTS 1024                 /* SMS that the courier has in hand */
#define BOUND_SMS_TEXT 4096              /* bytes of one SMS: ten segments and more */
#define BOUND_SMS_REQUEST KIB(64)        /* what is sent to a gateway for one */
#define BOUND_SMS_EARLY 10000            /* receipts kept that came before the answer with the id */
#define BOUND_SMTP_LINE 4096u            /* one line of a reply */
#define BOUND_SMTP_REPLY_LINES 128u
#define BOUND_SMTP_TEXT 600              /* of a reply that is kept */
#define BOUND_SMTP_ADDRESS 512u

/* intake */
#define BOUND_INTAKE_CONNECT_MS 45000      /* TCP, TLS and login together */
#define BOUND_INTAKE_COMMAND_MS 240000     /* one IMAP command, plus its bytes at the rate below */
#define BOUND_INTAKE_BYTES_PER_MS 32       /* slower than this for long is a hanging server */
#define BOUND_INTAKE_IDLE_MS (25 * 60000)  /* renewed before the 29 minutes of RFC 2177 */
#define BOUND_INTAKE_RETRY_MS 300000       /* longest wait before connecting again */
#define BOUND_INTAKE_REFUSED_MS HOUR_MS /* the same after a refused password or certificate */
#define BOUND_INTAKE_LINE MIB(8)           /* one response line without its literals */
#define BOUND_INTAKE_LINES 200000          /* lines in answer to one command */
#define BOUND_INTAKE_NESTING 100           /* parentheses in a response */
#define BOUND_INTAKE_INFLIGHT_BYTES MIB(32) /* raw bytes without receipt, kept to be sent again */
#define BOUND_INTAKE_CHUNK 500             /* messages asked about in one command */
#define BOUND_INTAKE_WANTED 10000          /* messages to be fetched again, in all */
#define BOUND_LIST_FRAME KIB(512)          /* names in one LISTED frame of a Maildir */
#define BOUND_LIST_BYTES MIB(48)           /* names in all: they wait in the channel's queue */
#define BOUND_COPIES_IN_HAND 8             /* copies of sent mail that an intake has, and .. */
#define BOUND_COPIES_BYTES MIB(8)          /* .. as many bytes: no more is handed over */
#define BOUND_INTAKE_REQUESTS 64           /* questions of the engine that wait */
#define BOUND_INTAKE_TOKEN KIB(16)         /* of a token file */
#define BOUND_INTAKE_IDLE_BYTES MIB(1)     /* of one IDLE; more is a server gone mad */
#define BOUND_MAILDIR_READ MIB(256)        /* of one file; parts that come later are not listed */
#define BOUND_INTAKE_FOLDERS 64

/* commands by mail whose sender is not proven */
#define BOUND_SIGNATURES 8                  /* DKIM signatures of one domain in a mail */
#define BOUND_CONFIRM_ADDRESS 3             /* mails that ask one address to confirm, in a day */
#define BOUND_CONFIRM_REMOTE 20             /* ... that one sender of forms causes in an hour */
#define BOUND_CONFIRM_FORM 600              /* ... and one form */
#define BOUND_CONFIRM_LATER 64              /* of those beyond, that are looked at in a second */
#define BOUND_CONFIRM_BYTES MIB(64)         /* of one form's posts that nobody has confirmed */
#define BOUND_VERDICTS 1000                 /* posts of forms that wait for a verdict */
#define BOUND_VERDICTS_LATE 64              /* ... given up at a time */
#define BOUND_HELD_MS (3 * DAY_MS)        /* how long an answer confirms them */
#define BOUND_HELD_TOLD 5                   /* mails about them to one user in an hour */
#define BOUND_HELD_LINES 20                 /* that such a mail shows, each cut to ... */
#define BOUND_HELD_LINE 200

/* a dropbox */
#define BOUND_DROPBOX_RECIPIENTS 20         /* of one mail are filed */
#define BOUND_DROPBOX_NEW 5                 /* contacts that one makes which nobody proved */
#define BOUND_DROPBOX_DAY 50                /* ... and all of these to one address in a day */

/* automatic mail */
#define BOUND_OWN_MAILS 300                 /* to one of our own in an hour, of all kinds */

/* conditions */
#define BOUND_RELATED 1000                  /* records that a count over related ones ends at */

/* control socket */
#define BOUND_CTL_ARGS 64
#define BOUND_CTL_ARG KIB(64)
#define BOUND_CTL_CLIENTS 64             /* of each of the two sockets */
#define BOUND_CTL_QUEUE 2                /* frames of one client that wait; then it is not read */
#define BOUND_CTL_UNREAD MIB(1)          /* of answers; who asks on beyond it is cut */
#define BOUND_RECONCILE_UIDS 5000000     /* messages of one folder that are compared */

#endif
