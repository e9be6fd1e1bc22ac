#!/bin/sh
# SPDX-License-Identifier: ISC
#
# smstools.sh - eventhandler of SMS Server Tools (smsd): texts that came in, and what became of
# those that went out, to leadd
#
# In smsd.conf: eventhandler = PATH/smstools.sh and incoming_utf8 = yes. /etc/leadd/smstools.env (or
# what LEADD_SMSTOOLS names) is read by smsd's user alone and has:
#
#   url=http://127.0.0.1:8025/sms/modem    the gateway's name in leadd.conf is modem here
#   token=SECRET                           verify : { scheme = "token"; header = "X-Token"; ... };
#   sent=/var/spool/sms/sent               as in smsd.conf
#
# A file of `incoming` is removed when leadd has taken it; one that could not be handed over is
# offered again at the next event, under the same name, so that it counts once.
set -u
LC_ALL=C
export LC_ALL
. "${LEADD_SMSTOOLS:-/etc/leadd/smstools.env}"

post() { # PATH CURL-OPTIONS...: the token stands in no argument
    path=$1
    shift
    printf 'header = "X-Token: %s"\n' "$token" |
        curl -sS -f -o /dev/null --max-time 30 --retry 2 --retry-connrefused -K - "$@" "$url$path"
}

field() { # NAME FILE
    sed -n -e '/^$/q' -e "s/^$1: *//p" "$2" | head -n 1
}

body() { # FILE
    sed -e '1,/^$/d' "$1"
}

# Of the newest text to that number with that reference: smsd counts to 255 only.
key_of() { # NUMBER REFERENCE
    ls -t "$sent" | while read -r name; do
        [ "$(field Message_id "$sent/$name")" = "$2" ] && [ "$(field To "$sent/$name")" = "$1" ] || continue
        field Leadd-Key "$sent/$name"
        break
    done
}

report() { # FILE
    key=$(key_of "$(field From "$1")" "$(body "$1" | sed -n 's/^Message_id: *//p')")
    status=$(body "$1" | sed -n 's/^Status: *//p')
    code=${status%%,*} word=${status#*,}
    [ -z "$key" ] || # not of leadd
        post /receipt --data-urlencode "key=$key" --data-urlencode "status=${word%%,*}" \
            --data-urlencode "error=$code"
}

text() { # FILE
    from=$(field From "$1") words=$(mktemp) || return 1
    case $(field From_TOA "$1") in 91*) from=+$from ;; esac
    case $(field Alphabet "$1") in
    UCS* | Uni* | Chi*) body "$1" | iconv -f UTF-16BE -t UTF-8 >"$words" ;;
    *) body "$1" >"$words" ;;
    esac
    id=$(basename "$1")-$(field Received "$1" | tr -cd 0-9)
    post "" --data-urlencode "from=$from" --data-urlencode "id=$id" --data-urlencode "text@$words"
    rc=$?
    rm -f "$words"
    return $rc
}

like_report() { # FILE: anybody may write a text that looks like one
    [ -f "$1" ] && [ "$(body "$1" | head -n 1)" = "SMS STATUS REPORT" ]
}

arrived() { # FOLDER
    for file in "$1"/*; do
        [ -f "$file" ] || continue
        case $file in
        *.REPORT) report "$file" && rm -f "$file" ;;
        *.RECEIVED) text "$file" && rm -f "$file" ;;
        *) like_report "$file" || { text "$file" && rm -f "$file"; } ;; # else its own event tells
        esac
    done
}

case ${1:-} in
RECEIVED | REPORT) # smsd alone knows which it is: the name keeps it
    ! like_report "$2" || mv "$2" "$2.$1"
    arrived "$(dirname "$2")"
    ;;
SENT | FAILED)
    key=$(field Leadd-Key "$2")
    [ -z "$key" ] || post /receipt --data-urlencode "key=$key" --data-urlencode "status=$1" \
        --data-urlencode "error=$(field Fail_reason "$2")"
    ;;
esac
