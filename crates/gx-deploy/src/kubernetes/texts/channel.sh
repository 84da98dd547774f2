#!/usr/bin/env bash
# Has every orderer join the channel, unless it has. Can be run again at any time; fails, and is
# started again by its Job, while an orderer does not answer.
set -euo pipefail

admin=(--ca-file /etc/fabric/identity/tls/ca.pem
    --client-cert /etc/fabric/identity/tls/cert.pem
    --client-key /etc/fabric/identity/tls/key.pem)

has_joined() { # ORDERER
    local answer
    answer=$(osnadmin channel list -o "$1:7053" --channelID "$CHANNEL" "${admin[@]}")
    grep -q 'Status: 200' <<< "$answer"
}

for orderer in $ORDERERS; do
    if has_joined "$orderer"; then
        echo "$orderer is on $CHANNEL"
        continue
    fi
    osnadmin channel join -o "$orderer:7053" --channelID "$CHANNEL" \
        --config-block /etc/fabric/genesis/channel.block "${admin[@]}"
    has_joined "$orderer" || { echo "$orderer has not joined $CHANNEL" >&2; exit 1; }
    echo "$orderer has joined $CHANNEL"
done
