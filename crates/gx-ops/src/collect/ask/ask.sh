#!/bin/sh
# Asks running things what they are, and changes nothing. What it prints is for `gx ops collect`,
# which keeps no secret of it.
#
#   sh -s -- process URL...               a process of the platform: http://HOST:PORT
#   sh -s -- fabric ORGANIZATION URL...   operations endpoints of peers, orderers and authorities
#   sh -s -- channel PLACE CHANNEL CHAINCODE    what the program `peer` says, as who it is set up
#   sh -s -- prometheus URL [ALERTMANAGER-URL [GRAFANA-URL]]
#   sh -s -- redis PLACE [OPTION OF redis-cli]...
#   sh -s -- backup-log COMPONENT ENVIRONMENT < LOG
#
# PLACE is `Pod NAMESPACE/NAME` or an address. A URL through `kubectl proxy` names its pod:
#   http://127.0.0.1:8001/api/v1/namespaces/NAMESPACE/pods/POD:PORT/proxy
# AUTHORIZATION in the environment is sent as the header of that name to all but Alertmanager.
set -u
LC_ALL=C
export LC_ALL

head_of() { # KIND PLACE
    printf '#gx-ask 1 %s\n#place %s\n#at %s\n' "$1" "$2" "$(date +%s)"
}
end_of() { printf '#gx-ask end\n'; }
section() { # NAME ARGUMENT < CONTENT
    printf '#begin %s %s\n' "$1" "$2"
    cat
    printf '\n#end %s\n' "$1"
}
missing() { printf '#missing %s %s\n' "$1" "$2"; }
place_of() { # URL
    pod=$(printf '%s' "$1" | sed -n 's|.*/namespaces/\([^/]*\)/pods/\([^:/]*\).*|\1/\2|p')
    if [ -n "$pod" ]; then printf 'Pod %s' "$pod"; else
        printf '%s' "$1" | sed -e 's|^[a-z]*://||' -e 's|^.*@||' -e 's|/.*||'
    fi
}
get() { # NAME URL [HEADER]
    answer=$(printf '%s\n' "${3:-}" |
        curl -sS -m 20 --config - -w '\n%{http_code}' "$2" 2> /dev/null) || {
        missing "$1" "no answer"
        return 0
    }
    printf '%s\n' "${answer%????}" | section "$1" "${answer##*
}"
}
login() {
    if [ -n "${AUTHORIZATION:-}" ]; then
        printf 'header = "Authorization: %s"' "$AUTHORIZATION"
    fi
}
run() { # NAME COMMAND...
    name=$1
    shift
    if answer=$("$@" 2> /dev/null); then printf '%s\n' "$answer" | section "$name" ''; else
        missing "$name" "$1 failed"
    fi
}

process() {
    for url in "$@"; do
        head_of process "$(place_of "$url")"
        for path in livez readyz version metrics; do get "$path" "$url/$path"; done
        get ledger "$url/api/v1/ledger/info"
        get supply "$url/api/v1/supply"
        get countries "$url/api/v1/countries"
        end_of
    done
}
fabric() { # ORGANIZATION URL...
    organization=$1
    shift
    for url in "$@"; do
        head_of fabric "$(place_of "$url")"
        printf '#organization %s\n' "$organization"
        for path in healthz version metrics; do get "$path" "$url/$path"; done
        end_of
    done
}
channel() { # PLACE CHANNEL CHAINCODE
    head_of channel "$1"
    printf '#channel %s\n#chaincode %s\n' "$2" "$3"
    run chain peer channel getinfo -c "$2"
    run committed peer lifecycle chaincode querycommitted -C "$2" -n "$3" --output json
    run installed peer lifecycle chaincode queryinstalled --output json
    end_of
}
prometheus() { # URL [ALERTMANAGER-URL [GRAFANA-URL]]
    head_of prometheus "$(place_of "$1")"
    header=$(login)
    get targets "$1/api/v1/targets?state=active" "$header"
    get rules "$1/api/v1/rules?type=alert" "$header"
    get names "$1/api/v1/label/__name__/values" "$header"
    get flags "$1/api/v1/status/flags" "$header"
    get ingested "$1/api/v1/query?query=sum(rate(prometheus_tsdb_compaction_chunk_size_bytes_sum%5B1d%5D))" "$header"
    if [ -n "${2:-}" ]; then get alertmanager "$2/api/v2/status"; fi
    if [ -n "${3:-}" ]; then
        boards=$(printf '%s\n' "$header" |
            curl -sS -m 20 --config - "$3/api/search?type=dash-db" 2> /dev/null)
        printf '%s' "$boards" | tr ',{}' '\n\n\n' | sed -n 's/^"uid":"\([^"]*\)"$/\1/p' |
            while read -r uid; do get dashboard "$3/api/dashboards/uid/$uid" "$header"; done
    fi
    end_of
}
redis() { # PLACE OPTION...
    head_of redis "$1"
    shift
    # What is refused is told as an answer; none of it begins as these do.
    answer=$(redis-cli "$@" INFO 2> /dev/null)
    case $answer in
        *redis_version:*) printf '%s\n' "$answer" | section info '' ;;
        *) missing info "it does not answer, or asks for a password: set REDISCLI_AUTH" ;;
    esac
    answer=$(redis-cli "$@" ACL LIST 2> /dev/null)
    case $answer in
        # Hashes of passwords stay where they are.
        user\ *) printf '%s\n' "$answer" | sed 's/ [#>][^ ]*/ password/g' | section acl '' ;;
        *) missing acl "it does not tell its users" ;;
    esac
    end_of
}
backup_log() { # COMPONENT ENVIRONMENT
    head_of backup-log "$1"
    printf '#environment %s\n' "$2"
    tail -n 200 | section log ''
    end_of
}

kind=${1:-}
if [ $# -lt 2 ]; then
    echo "the first lines of this script say how it is used" >&2
    exit 2
fi
shift
case $kind in
    process | fabric | channel | prometheus | redis) "$kind" "$@" ;;
    backup-log) backup_log "$@" ;;
    *) echo "what is $kind?" >&2; exit 2 ;;
esac
