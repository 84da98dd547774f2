#!/usr/bin/env bash
# Has the organization's peers join the channel and install the package, approves the chaincode
# for the organization, and commits it when every organization has approved it. Each step looks
# first whether it is done. Can be run again at any time; fails, and is started again by its Job,
# while something does not answer.
set -euo pipefail

orderer=(-o "$ORDERER:7050" --tls --cafile /etc/fabric/tls-roots/orderer.pem)
definition=(--channelID "$CHANNEL" --name "$CHAINCODE" --version "$VERSION" --sequence "$SEQUENCE")

has() { grep -q -- "$1"; } # reads all of a JSON answer on one line

for peer in $PEERS; do
    export CORE_PEER_ADDRESS="$peer:7051"
    channels=$(peer channel list 2>/dev/null)
    if grep -qx "$CHANNEL" <<< "$channels"; then
        echo "$peer is on $CHANNEL"
    else
        peer channel join -b /etc/fabric/genesis/channel.block
        echo "$peer has joined $CHANNEL"
    fi
    installed=$(peer lifecycle chaincode queryinstalled -O json)
    if has "\"$PACKAGE_ID\"" <<< "$installed"; then
        echo "$peer has the package $PACKAGE_ID"
    else
        peer lifecycle chaincode install /etc/fabric/package/chaincode.tar.gz
        echo "$peer has installed $PACKAGE_ID"
    fi
done

is_committed() {
    local answer
    answer=$(peer lifecycle chaincode querycommitted --channelID "$CHANNEL" -O json | tr -d ' \n\t')
    has "\"name\":\"$CHAINCODE\",\"sequence\":$SEQUENCE,\"version\":\"$VERSION\"" <<< "$answer"
}

if is_committed; then
    echo "$CHAINCODE $VERSION is committed"
    exit 0
fi

approvals() {
    peer lifecycle chaincode checkcommitreadiness "${definition[@]}" -O json | tr -d ' \n\t'
}

if has "\"$CORE_PEER_LOCALMSPID\":true" <<< "$(approvals)"; then
    echo "$CORE_PEER_LOCALMSPID has approved $CHAINCODE $VERSION"
else
    peer lifecycle chaincode approveformyorg "${orderer[@]}" "${definition[@]}" --package-id "$PACKAGE_ID"
    echo "$CORE_PEER_LOCALMSPID approves $CHAINCODE $VERSION"
fi

if has ':false' <<< "$(approvals)"; then
    echo "another organization has not approved $CHAINCODE $VERSION; its Job commits it"
    exit 0
fi

to=()
for organization in $ORGANIZATIONS; do
    to+=(--peerAddresses "peer0-$organization:7051" --tlsRootCertFiles "/etc/fabric/tls-roots/$organization.pem")
done
# The Jobs of two organizations may come here at once: one of them commits.
peer lifecycle chaincode commit "${orderer[@]}" "${definition[@]}" "${to[@]}" || is_committed
echo "$CHAINCODE $VERSION is committed"
