# SPDX-License-Identifier: ISC
# Completion of leadctl for bash; the commands are read from its own help.
_leadctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} cmd='' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -s | --socket | -w | --wait) ((i++)) ;;
        -*) ;;
        *) cmd=${COMP_WORDS[i]} && break ;;
        esac
    done
    case $cmd in
    '')
        local names
        names=$(leadctl help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$names --json --socket --wait --help --version" -- "$cur")
        ;;
    list) mapfile -t COMPREPLY < <(compgen -W 'leads contacts companies deals cases tasks activities users fields events commands' -- "$cur") ;;
    calls) mapfile -t COMPREPLY < <(compgen -W 'list show retry drop enable' -- "$cur") ;;
    gateway) mapfile -t COMPREPLY < <(compgen -W 'status enable pull test' -- "$cur") ;;
    suppression) mapfile -t COMPREPLY < <(compgen -W 'list show add remove' -- "$cur") ;;
    outbox) mapfile -t COMPREPLY < <(compgen -W 'list show retry release drop' -- "$cur") ;;
    form) mapfile -t COMPREPLY < <(compgen -W 'list snippet test --url -c' -- "$cur") ;;
    held) mapfile -t COMPREPLY < <(compgen -W 'list show release drop' -- "$cur") ;;
    address) mapfile -t COMPREPLY < <(compgen -W 'secret dropbox new off' -- "$cur") ;;
    quarantine) mapfile -t COMPREPLY < <(compgen -W 'list show retry drop unconfirmed' -- "$cur") ;;
    ledger) mapfile -t COMPREPLY < <(compgen -W 'state=filed state=ignored state=quarantined source= limit=' -- "$cur") ;;
    backup) mapfile -t COMPREPLY < <(compgen -f -W 'verify --keep --no-verify' -- "$cur") ;;
    calendar) mapfile -t COMPREPLY < <(compgen -W 'list explain -c' -- "$cur") ;;
    restore) mapfile -t COMPREPLY < <(compgen -f -W '--force' -- "$cur") ;;
    timers) mapfile -t COMPREPLY < <(compgen -W 'rule= limit=' -- "$cur") ;;
    due) mapfile -t COMPREPLY < <(compgen -W '--late release drop all rule= limit=' -- "$cur") ;;
    sequence) mapfile -t COMPREPLY < <(compgen -W 'list show preview enrolments migrate' -- "$cur") ;;
    release) mapfile -t COMPREPLY < <(compgen -W 'all none since= rest=drop' -- "$cur") ;;
    mailbox) mapfile -t COMPREPLY < <(compgen -W 'list preview refetch' -- "$cur") ;;
    rules)
        local subs
        subs=$(leadctl rules help 2>/dev/null | sed -n 's/^.* leadctl rules \([a-z]*\).*/\1/p')
        if [[ ${COMP_WORDS[COMP_CWORD - 1]} == rules ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$subs" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        ;;
    clock) mapfile -t COMPREPLY < <(compgen -W 'advance' -- "$cur") ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$(leadctl help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')" -- "$cur") ;;
    parse) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -o default -F _leadctl leadctl
