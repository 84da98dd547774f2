#!/bin/sh
# Tells what a machine is and runs. Reads only; prints no arguments of programs and no contents of
# files. Lines are fields with tabs between them, in sections that begin with "#begin NAME" and end
# with "#end NAME"; "#missing NAME WHY" stands where a section cannot be had.
# Run it as root for all of it: ssh HOST 'sudo sh -s' < host-script > HOST.txt
# What it is to try to reach are arguments: ssh HOST 'sudo sh -s -- www.example.org:443 192.0.2.1:22'
set -u
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/local/bin
TAB=$(printf '\t')

has() { command -v "$1" > /dev/null 2>&1; }
begin() { printf '#begin %s\n' "$1"; }
end() { printf '#end %s\n' "$1"; }
missing() { printf '#missing %s %s\n' "$1" "$2"; }
fields() { # fields of a line with tabs between them; what is in a field has none, - is empty
    line=
    for field in "$@"; do
        field=$(printf '%s' "$field" | tr '\t\n\r' '   ')
        line="$line$TAB${field:--}"
    done
    printf '%s\n' "${line#"$TAB"}"
}
memory() { awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo; }
setting() { [ -r "$2" ] && awk -F= -v key="$1" '$1 == key { gsub(/"/, "", $2); print $2 }' "$2"; }

open_files() { # of what runs the containers; where nothing does, of this shell
    for name in k3s-server k3s-agent kubelet containerd dockerd; do
        pid=$(pgrep -o -x "$name" 2> /dev/null) || continue
        limit=$(awk '/^Max open files/ { print $4 }' "/proc/$pid/limits" 2> /dev/null)
        if [ -n "$limit" ]; then
            printf '%s' "$limit"
            return
        fi
    done
    ulimit -n
}

printf '#gx-host 1\n'

begin host
fields name "$(hostname)"
fields machine_id "$(cat /etc/machine-id 2> /dev/null)"
fields at "$(date +%s)"
fields os "$(setting PRETTY_NAME /etc/os-release)"
fields kernel "$(uname -r)"
fields uptime "$(cut -d. -f1 /proc/uptime)"
fields cores "$(grep -c '^processor' /proc/cpuinfo)"
fields memory_kib "$(memory MemTotal)"
fields available_kib "$(memory MemAvailable)"
fields swap_kib "$(memory SwapTotal)"
fields open_files "$(open_files)"
end host

if has ip; then
    begin addresses
    ip -o addr show scope global | awk '{ sub(/\/.*/, "", $4); print $4 }'
    end addresses
else missing addresses "ip is not installed"; fi

if [ -d /lib/modules ]; then
    begin kernels
    ls /lib/modules
    end kernels
else missing kernels "there is no /lib/modules"; fi

begin mounts
df -Pk 2> /dev/null | awk 'NR > 1 && $1 ~ /^\// { print $1 "\t" $2 "\t" $3 "\t" $4 "\t" $6 }'
end mounts

if has ss; then
    begin listeners
    ss -Hlntup 2> /dev/null | awk '{
        address = $5; port = address; sub(/.*:/, "", port); sub(/:[^:]*$/, "", address)
        program = ""; if (match($0, /\(\("[^"]*"/)) program = substr($0, RSTART + 3, RLENGTH - 4)
        print $1 "\t" address "\t" port "\t" program
    }'
    end listeners
else missing listeners "ss is not installed"; fi

if has systemctl && systemctl list-units > /dev/null 2>&1; then
    begin units
    systemctl list-units --type=service,socket --all --plain --no-legend --no-pager |
        awk '$2 == "loaded" { print $1 "\t" $3 "\t" $4 }'
    end units
    begin enabled
    systemctl list-unit-files --type=service,socket --no-legend --no-pager | awk '{ print $1 "\t" $2 }'
    end enabled
else
    missing units "systemd does not run here"
    missing enabled "systemd does not run here"
fi

if ! has docker; then
    # Without docker there is nothing of it.
    for section in containers docker docker_images; do
        begin "$section"
        end "$section"
    done
elif docker info > /dev/null 2>&1; then
    begin containers
    docker ps -a --format '{{.Names}}\t{{.Image}}\t{{.State}}' | sed 's/^/docker\t/'
    end containers
    begin docker
    docker system df --format '{{.Type}}\t{{.Size}}\t{{.Reclaimable}}'
    end docker
    begin docker_images
    docker images --digests --no-trunc --format '{{.Repository}}:{{.Tag}}\t{{.Digest}}\t{{.Size}}'
    end docker_images
else
    missing containers "docker does not answer"
    missing docker "docker does not answer"
    missing docker_images "docker does not answer"
fi

if has k3s; then ctr="k3s ctr"; elif has ctr; then ctr=ctr; else ctr=; fi
if [ -n "$ctr" ] && $ctr -n k8s.io images ls > /dev/null 2>&1; then
    begin containerd_images
    $ctr -n k8s.io images ls | awk 'NR > 1 { print $1 "\t" $3 "\t" $4 $5 "\t" $6 }'
    end containerd_images
elif [ -n "$ctr" ]; then missing containerd_images "containerd cannot be asked"
else
    begin containerd_images
    end containerd_images
fi

crontab_lines() { # FILE USER-OR-EMPTY: schedule, user and program of each line
    awk -v source="$1" -v owner="$2" '
        /^[ \t]*(#|$)/ { next }
        /^[ \t]*[A-Za-z_]+[ \t]*=/ {
            split($0, pair, "="); gsub(/[ \t]/, "", pair[1])
            if (pair[1] == "PATH") { path = pair[2]; gsub(/["\047 \t]/, "", path) }
            next
        }
        {
            n = ($1 ~ /^@/) ? 1 : 5; schedule = $1
            for (i = 2; i <= n; i++) schedule = schedule " " $i
            user = owner; if (user == "") { user = $(n + 1); n++ }
            # What is set for one line alone may be secret.
            while ($(n + 1) ~ /^[A-Za-z_][A-Za-z0-9_]*=/) n++
            program = $(n + 1); script = "-"
            # What an interpreter is given by its path is what is run.
            if (program ~ /^(\/(usr\/)?bin\/)?(sh|bash|dash|ksh|perl|php|node|ruby|python3?)$/ && $(n + 2) ~ /^\/[A-Za-z0-9._\/-]+$/) {
                program = $(n + 2); script = "script"
            }
            print source "\t" user "\t" schedule "\t" program "\t" script "\t" path
        }' "$1"
}
begin cron
{
    for file in /etc/crontab /etc/cron.d/*; do
        if [ -f "$file" ] && [ -r "$file" ]; then crontab_lines "$file" ""; fi
    done
    for file in /var/spool/cron/crontabs/* /var/spool/cron/*; do
        if [ -f "$file" ] && [ -r "$file" ]; then crontab_lines "$file" "${file##*/}"; fi
    done
} | while IFS="$TAB" read -r source user schedule program script path; do
    exists=no
    runs=no
    case $program in
        /*)
            [ -e "$program" ] && exists=yes
            [ -x "$program" ] && runs=yes
            [ "$script" = script ] && [ -r "$program" ] && runs=yes
            ;;
        *)
            (PATH=${path:-/usr/bin:/bin}; command -v "$program") > /dev/null 2>&1 &&
                exists=yes runs=yes
            ;;
    esac
    fields "$source" "$user" "$schedule" "$program" "$exists" "$runs" "$path"
done
end cron

begin careless
{
    for file in /etc/crontab /etc/cron.d/*; do
        if [ -f "$file" ] && [ -r "$file" ]; then crontab_lines "$file" ""; fi
    done
    for file in /var/spool/cron/crontabs/* /var/spool/cron/*; do
        if [ -f "$file" ] && [ -r "$file" ]; then crontab_lines "$file" "${file##*/}"; fi
    done
} | cut -f4 | grep '^/' | sort -u | while read -r program; do
    # Scripts alone: what begins otherwise is not text.
    [ -r "$program" ] && [ "$(head -c 2 "$program" 2> /dev/null | tr -d '\0')" = '#!' ] || continue
    grep -v '^[[:space:]]*#' "$program" | grep -Eiq 'StrictHostKeyChecking[= ]*(no|off)|UserKnownHostsFile[= ]*/dev/null' &&
        fields "$program" hostKeysUnchecked
    grep -v '^[[:space:]]*#' "$program" | grep -Eq 'sshpass +-p|redis-cli.* (-a|--pass)[ =]|[ ]--password[= ]|curl.* (-u|--user)[ =][^ ]+:' &&
        fields "$program" passwordOnCommandLine
done
end careless

if [ -r /etc/shadow ] && has sha256sum; then
    begin passwords
    # What is kept of a password leaves as a hash of it.
    while IFS=: read -r user kept _; do
        case $kept in
            '') fields "$user" empty "" ;;
            '!'* | '*'*) ;;
            *) fields "$user" set "$(printf '%s' "$kept" | sha256sum | cut -d' ' -f1)" ;;
        esac
    done < /etc/shadow
    end passwords
else missing passwords "the passwords of users can be read by root alone"; fi

if has sshd && sshd -T > /dev/null 2>&1; then
    begin ssh
    sshd -T | awk '$1 ~ /^(passwordauthentication|pubkeyauthentication|permitrootlogin|maxauthtries|logingracetime|permitemptypasswords|port|x11forwarding)$/ { print $1 "\t" $2 }'
    end ssh
else missing ssh "the settings of sshd cannot be read"; fi

begin authorized_keys
for home in ~root /home/*; do
    file=$home/.ssh/authorized_keys
    [ -r "$file" ] || continue
    awk -v user="${home##*/}" '
        /^[ \t]*(#|$)/ { next }
        !/(ssh-|ecdsa-|sk-)[^ ]+ [A-Za-z0-9+\/=]+/ || gsub(/(ssh-rsa|ssh-ed25519|ecdsa-sha2-[a-z0-9-]+) AAAA/, "&") > 1 { bad++; next }
        { keys++; for (i = 1; i <= NF; i++) if ($i ~ /^AAAA/) { if (seen[$i]++) twice++; break } }
        END { print user "\t" keys + 0 "\t" twice + 0 "\t" bad + 0 }' "$file"
done
end authorized_keys

if has chronyc && chronyc -n tracking > /dev/null 2>&1; then
    begin clock
    chronyc -n tracking | awk -F': *' '
        /^Leap status/ { ok = ($2 == "Normal") ? "yes" : "no" }
        /^System time/ { split($2, part, " "); offset = part[1] * 1000 }
        END { printf "%s\t%d\n", ok, offset }'
    end clock
elif has timedatectl && timedatectl show > /dev/null 2>&1; then
    begin clock
    fields "$(timedatectl show -p NTPSynchronized --value)" ""
    end clock
else missing clock "neither chrony nor systemd tells of the clock"; fi

begin firewall
if has firewall-cmd && firewall-cmd --state > /dev/null 2>&1; then
    fields firewalld yes "$(firewall-cmd --zone=trusted --list-sources 2> /dev/null)"
elif has ufw && ufw status 2> /dev/null | grep -q '^Status: active'; then
    fields ufw yes "$(ufw status | awk '$1 == "Anywhere" && $2 == "ALLOW" { printf "%s ", $3 }')"
elif has nft && [ -n "$(nft list ruleset 2> /dev/null | grep -E 'hook input.*policy drop')" ]; then
    fields nftables yes ""
elif has iptables && iptables -S INPUT 2> /dev/null | grep -q '^-P INPUT DROP'; then
    fields iptables yes ""
else fields "" no ""; fi
end firewall

if has iptables && iptables -t nat -S > /dev/null 2>&1; then
    begin dnat
    iptables -t nat -S PREROUTING | awk '/ DNAT / {
        port = ""; target = ""
        for (i = 1; i < NF; i++) {
            if ($i == "--dport") port = $(i + 1)
            if ($i == "--to-destination") target = $(i + 1)
        }
        if (port ~ /^[0-9]+$/) print port "\t" target
    }'
    end dnat
else missing dnat "the tables of the firewall cannot be read"; fi

begin sysctl
for key in net.ipv4.conf.all.rp_filter net.ipv4.conf.default.rp_filter net.ipv4.ip_forward vm.swappiness fs.inotify.max_user_watches fs.inotify.max_user_instances vm.max_map_count vm.overcommit_memory; do
    file=/proc/sys/$(printf '%s' "$key" | tr . /)
    [ -r "$file" ] && fields "$key" "$(cat "$file")"
done
end sysctl

journals=
for folder in /var/log/journal /run/log/journal; do [ -d "$folder" ] && journals="$journals $folder"; done
if [ -n "$journals" ]; then
    begin journal
    # shellcheck disable=SC2086
    fields "$(du -sck $journals 2> /dev/null | awk 'END { print $1 }')" "$(
        find $journals -type f -name '*.journal*' -exec stat -c %Y {} + 2> /dev/null | sort -n | head -n 1
    )"
    end journal
else missing journal "there is no journal"; fi

described() { # paths on standard input
    while read -r path; do
        size=$(du -sk "$path" 2> /dev/null | cut -f1)
        fields "$path" "${size:-0}" "$(stat -c %Y "$path")" "$(stat -c %a "$path")" "$(stat -c %U "$path")" "$1"
    done
}
begin archives
find /tmp /var/tmp -xdev -maxdepth 3 -type f \( -name '*.tar' -o -name '*.tar.*' -o -name '*.tgz' -o -name '*.zip' -o -name '*.img' \) 2> /dev/null | described ""
end archives

begin volumes
for folder in /var/lib/rancher/k3s/storage /opt/local-path-provisioner; do
    [ -d "$folder" ] && find "$folder" -mindepth 1 -maxdepth 1 -type d | described ""
done
end volumes

if has sha256sum; then
    begin configs
    for path in /etc/rancher/k3s/config.yaml /etc/rancher/k3s/registries.yaml /etc/rancher/k3s/k3s.yaml /etc/rancher/node/password /var/lib/rancher/k3s/server/token /var/lib/rancher/k3s/server/cred/encryption-config.json /etc/kubernetes/admin.conf /var/lib/kubelet/config.yaml; do
        [ -e "$path" ] || continue
        sum=$(sha256sum "$path" 2> /dev/null | cut -d' ' -f1)
        printf '%s\n' "$path" | described "$sum"
    done
    end configs
else missing configs "sha256sum is not installed"; fi

begin names
awk '!/^[ \t]*(#|$)/ { for (i = 2; i <= NF; i++) { if ($i ~ /^#/) break; print $1 "\t" $i } }' /etc/hosts
end names

begin registries
{
    for folder in /var/lib/rancher/k3s/agent/etc/containerd/certs.d /etc/containerd/certs.d; do
        if [ -d "$folder" ]; then ls "$folder"; fi
    done
    # The keys under mirrors; what stands under configs may be secret.
    file=/etc/rancher/k3s/registries.yaml
    [ -r "$file" ] && awk '
        /^[^ #]/ { inside = ($1 == "mirrors:") }
        inside && /^ +[^ #]/ {
            match($0, /^ +/)
            if (depth == 0) depth = RLENGTH
            if (RLENGTH == depth) { name = $1; sub(/:$/, "", name); gsub(/["\047]/, "", name); print name }
        }' "$file"
} | sed 's/^_default$/*/' | sort -u
end registries

begin image_removal
for file in /etc/rancher/k3s/config.yaml /etc/rancher/k3s/config.yaml.d/*.yaml /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/*.conf /var/lib/kubelet/config.yaml; do
    [ -r "$file" ] && awk '
        /^[ \t]*#/ { next }
        match($0, /(image-gc-(high|low)-threshold=|imageGC(High|Low)ThresholdPercent"?:) *[0-9]+/) {
            found = tolower(substr($0, RSTART, RLENGTH)); percent = found
            sub(/.*[^0-9]/, "", percent)
            print ((found ~ /high/) ? "high" : "low") "\t" percent
        }' "$file"
done
end image_removal

begin runtime_folders
for folder in /var/lib/containerd /var/lib/docker /var/lib/rancher/k3s/agent/containerd; do
    if [ -d "$folder" ]; then
        size=$(du -skx "$folder" 2> /dev/null | cut -f1)
        fields "$folder" "${size:-0}" "$(stat -c %Y "$folder")"
    fi
done
end runtime_folders

# How often errors that no retry mends stand in the newest log of each container: counts alone.
if [ -r /var/log/pods ]; then
    begin log_errors
    for folder in /var/log/pods/*/*/; do
        log=$(ls -t "$folder" 2> /dev/null | grep '\.log$' | head -n 1)
        if [ -z "$log" ] || [ ! -r "$folder$log" ]; then continue; fi
        pod=${folder#/var/log/pods/}; container=${pod#*/}; pod=${pod%%/*}
        rest=${pod#*_}
        for signature in NOAUTH WRONGPASS ENOTFOUND 'no such host' 'password authentication failed' 'hash validation failed' 'exec format error' 'access denied' 'certificate has expired'; do
            lines=$(tail -n 5000 "$folder$log" 2> /dev/null | grep -cF -- "$signature")
            if [ "${lines:-0}" -gt 0 ]; then
                fields "${pod%%_*}" "${rest%_*}" "${container%/}" "$signature" "$lines"
            fi
        done
    done
    end log_errors
else missing log_errors "there is no /var/log/pods that can be read"; fi

if has k3s && k3s etcd-snapshot ls > /dev/null 2>&1; then
    begin etcd_snapshots
    k3s etcd-snapshot ls 2> /dev/null | awk 'NR > 1 { print $1 "\t" $2 "\t" $3 "\t" $4 }'
    end etcd_snapshots
    begin encryption
    k3s secrets-encrypt status 2> /dev/null | awk -F': *' '/^Encryption Status/ { print $2 }'
    end encryption
else
    missing etcd_snapshots "this is no server of K3s"
    missing encryption "this is no server of K3s"
fi

tls=/var/lib/rancher/k3s/server/tls/etcd
client() { # a request to etcd: curl's arguments
    curl -sS -m 5 --cacert "$tls/server-ca.crt" --cert "$tls/client.crt" --key "$tls/client.key" "$@" 2> /dev/null
}
# Members as etcd's own gateway tells them, when its client is not installed: one a line.
json_members() {
    client -X POST -d '{}' https://127.0.0.1:2379/v3/cluster/member/list | tr -d '\n' | sed 's/.*"members":\[//; s/},{/\n/g' | awk '
        function of(key,   text) {
            if (!match($0, "\"" key "\":(\"[^\"]*\"|\\[[^]]*\\]|[a-z]+)")) return ""
            text = substr($0, RSTART, RLENGTH); sub(/^"[^"]*":/, "", text)
            gsub(/["\[\]]/, "", text); return text
        }
        of("ID") != "" {
            name = of("name"); learner = of("isLearner"); client = of("clientURLs")
            printf "%s\t%s\t%s\t%s\t%s\t%s\n", of("ID"), (name == "") ? "unstarted" : "started",
                name, of("peerURLs"), (learner == "") ? "false" : learner, client
        }'
}
if ! [ -r "$tls/client.key" ]; then
    missing etcd_members "this host runs no etcd of K3s, or the script was not run by root"
    missing etcd_health "this host runs no etcd of K3s, or the script was not run by root"
elif has etcdctl; then
    begin etcd_members
    ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert="$tls/server-ca.crt" --cert="$tls/client.crt" --key="$tls/client.key" member list 2> /dev/null |
        awk -F', ' '{ print $1 "\t" $2 "\t" $3 "\t" $4 "\t" $6 }'
    end etcd_members
    begin etcd_health
    ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cluster --cacert="$tls/server-ca.crt" --cert="$tls/client.crt" --key="$tls/client.key" endpoint health 2> /dev/null |
        awk '{ took = ""; if (match($0, /took = [0-9.a-zµ]+/)) took = substr($0, RSTART + 7, RLENGTH - 7); print $1 "\t" (/is healthy/ ? "yes" : "no") "\t" took }'
    end etcd_health
elif has curl && [ -n "$(json_members)" ]; then
    begin etcd_members
    json_members | cut -f1-5
    end etcd_members
    begin etcd_health
    json_members | awk -F'\t' '{ split($6, urls, ","); if (urls[1] != "") print urls[1] }' | while read -r url; do
        answer=$(client -w ' %{time_total}' "$url/health")
        case $answer in
            *'"health":"true"'*) fields "$url" yes "${answer##* }s" ;;
            *) fields "$url" no "" ;;
        esac
    done
    end etcd_health
else
    missing etcd_members "etcd did not answer, or neither etcdctl nor curl is here"
    missing etcd_health "etcd did not answer, or neither etcdctl nor curl is here"
fi

# K3s writes the name of its member when it joins.
joined=/var/lib/rancher/k3s/server/db/etcd/name
if [ -r "$joined" ]; then
    begin etcd_joined
    fields "$(cat "$joined")" "$(stat -c %Y "$joined")"
    end etcd_joined
else missing etcd_joined "this host runs no etcd of K3s, or the script was not run by root"; fi

settings() { # words of a configuration, one a line: KEY VALUE; those that all servers share
    awk '
        BEGIN {
            n = split("cluster-cidr service-cidr cluster-dns cluster-domain disable disable-cloud-controller disable-helm-controller disable-kube-proxy disable-network-policy egress-selector-mode embedded-registry flannel-backend secrets-encryption", names, " ")
            for (i = 1; i <= n; i++) shared[names[i]] = 1
        }
        {
            key = $1; value = $2
            if (key == "kube-apiserver-arg" && value ~ /^encryption-provider-config=/) {
                key = "encryption-provider-config"; sub(/^[^=]*=/, "", value); shared[key] = 1
            }
            if ((key in shared) && value ~ /^[A-Za-z0-9.\/:_-]+$/) print key "\t" value
        }' | sort -u
}
if [ -d /var/lib/rancher/k3s/server ] || [ -f /etc/systemd/system/k3s.service ]; then
    begin server_settings
    {
        for file in /etc/rancher/k3s/config.yaml /etc/rancher/k3s/config.yaml.d/*.yaml; do
            [ -r "$file" ] && tr -d "\"'\r" < "$file" | awk '
                /^[ \t]*#/ { next }
                /^[A-Za-z-]+:/ { key = $1; sub(/:.*/, "", key); sub(/^[^:]*:[ \t]*/, "") }
                { sub(/^[ \t]*-[ \t]+/, ""); gsub(/[][,]/, " "); for (i = 1; i <= NF; i++) print key, $i }'
        done
        [ -r /etc/systemd/system/k3s.service ] && tr -d "\"'\\\\" < /etc/systemd/system/k3s.service | tr -s ' \t\n' '\n' | awk '
            /^--/ {
                if (key != "") print key, "true"
                key = substr($0, 3)
                if (key ~ /=/) { value = key; sub(/=.*/, "", key); sub(/^[^=]*=/, "", value); print key, value; key = "" }
                next
            }
            key != "" { print key, $0; key = "" }
            END { if (key != "") print key, "true" }'
    } | tr ',' ' ' | awk '{ for (i = 2; i <= NF; i++) print $1, $i }' | settings
    end server_settings
else missing server_settings "this is no server of K3s"; fi

begin kubeconfigs
for file in ~root/.kube/config /home/*/.kube/config /etc/kubernetes/admin.conf /etc/rancher/k3s/k3s.yaml; do
    [ -r "$file" ] || continue
    awk '$1 == "server:" { host = $2; gsub(/["\047]/, "", host); sub(/^https?:\/\//, "", host); sub(/\/.*/, "", host); sub(/.*@/, "", host); sub(/:[0-9]+$/, "", host); print host }' "$file" |
        sort -u | while read -r host; do fields "$file" "$host"; done
done
end kubeconfigs

if ps -eo etimes=,rss=,args= > /dev/null 2>&1; then
    begin programs
    ps -eo etimes=,rss=,args= | awk '
        {
            program = $3; sub(/.*\//, "", program); line = $0; name = ""
            # Shells and this script name what they look for.
            if (program ~ /^(awk|gawk|mawk|busybox|ps|sh|dash|bash|sudo)$/) next
            if (program == "kubectl" || program == "k3s") { if (line ~ / port-forward /) name = "port-forward" }
            else if (program == "socat") name = "socat"
            else if (program == "ssh") { if (line ~ / -[A-Za-z]*[LRDw]/) name = "ssh-tunnel" }
            else if (line ~ /\.vscode-server\//) name = "vscode-server"
            else if (line ~ /\.cursor-server\//) name = "cursor-server"
            else if (program == "code-server") name = "code-server"
            else if (line ~ /\/JetBrains\/|\.jetbrains\/|remote-dev-server/) name = "jetbrains"
            else if (program ~ /^(rust-analyzer|gopls|pyright|clangd|jupyter.*)$/) name = program
            else if (line ~ /tsserver\.js/) name = "tsserver"
            else if (line ~ /(nodemon|ts-node-dev|webpack-dev-server|next dev|vite dev)( |$)/) name = "dev-server"
            if (name == "") next
            count[name]++; size[name] += $2
            if ($1 > oldest[name]) oldest[name] = $1
        }
        END { for (name in count) printf "%s\t%d\t%d\t%d\n", name, count[name], size[name], oldest[name] }' | sort
    end programs
else missing programs "ps does not tell how long programs run"; fi

begin antivirus
find /var/lib/clamav -maxdepth 1 -type f \( -name 'daily.c?d' -o -name 'main.c?d' \) 2> /dev/null | described ""
end antivirus

ssh_port=$(sshd -T 2> /dev/null | awk '$1 == "port" { print $2; exit }')
ssh_port=${ssh_port:-22}
rules() { # rules of iptables on standard input: whom they let reach SSH
    awk -v port="$ssh_port" '
        !/-j ACCEPT/ { next }
        / --ctstate | --state | -p icmp/ { next }
        / -i (lo|cni0|flannel[^ ]*) / { next }
        / --dports? / && $0 !~ ("--dports? ([0-9:,]*,)?" port "(,| )") { next }
        / -p (udp|ipv6-icmp|esp|ah) / { next }
        { from = "any"; for (i = 1; i < NF; i++) if ($i == "-s") from = $(i + 1); print from }'
}
if has firewall-cmd && firewall-cmd --state > /dev/null 2>&1; then
    begin ssh_from
    firewall-cmd --get-active-zones | awk '!/^[ \t]/ { print $1 }' | while read -r zone; do
        firewall-cmd --zone="$zone" --list-all | awk -v port="$ssh_port" '
            $1 == "target:" && $2 == "ACCEPT" { open = 1 }
            $1 == "interfaces:" && NF > 1 { all = 1 }
            $1 == "sources:" { sources = $0; sub(/^[ \t]*sources:[ \t]*/, "", sources) }
            $1 == "services:" && / ssh( |$)/ && port == 22 { open = 1 }
            $1 == "ports:" && $0 ~ (" " port "/tcp") { open = 1 }
            $1 == "rule" && / accept/ && (/service name="ssh"/ || $0 ~ ("port=\"" port "\"")) {
                if (match($0, /source address="[^"]*"/)) print substr($0, RSTART + 16, RLENGTH - 17)
                else print "any"
            }
            END {
                if (open && all) print "any"
                if (open) { n = split(sources, list, " "); for (i = 1; i <= n; i++) print list[i] }
            }'
    done | sort -u
    end ssh_from
elif has ufw && ufw status 2> /dev/null | grep -q '^Status: active'; then
    begin ssh_from
    ufw status | awk -v port="$ssh_port" '
        { gsub(/ \(v6\)/, "") }
        ($1 == port || $1 == port "/tcp" || $1 == "OpenSSH" || $1 == "SSH" || $1 == "Anywhere") && ($2 == "ALLOW" || $2 == "LIMIT") {
            print ($3 == "Anywhere") ? "any" : $3
        }' | sort -u
    end ssh_from
elif has iptables && iptables -S INPUT > /dev/null 2>&1; then
    begin ssh_from
    {
        if iptables -S INPUT | grep -q '^-P INPUT ACCEPT' &&
            ! iptables -S INPUT | grep -Eq -- "^-A INPUT (-p tcp .*--dport $ssh_port .*)?-j (DROP|REJECT)" &&
            ! { has nft && nft list ruleset 2> /dev/null | grep -Eq 'hook input.*policy drop'; }; then
            printf 'any\n'
        fi
        iptables -S INPUT | rules
        has nft && nft list ruleset 2> /dev/null | awk -v port="$ssh_port" '
            / accept/ && $0 ~ ("tcp dport (\\{[^}]*)?(" port "|ssh)[ ,]") {
                if (match($0, /saddr [^ ]+/)) print substr($0, RSTART + 6, RLENGTH - 6)
                else print "any"
            }'
    } | sort -u
    end ssh_from
else missing ssh_from "the rules of the firewall cannot be read"; fi

connects() { # HOST PORT: ok, refused, filtered or unresolved; sends nothing
    told=$(curl -v -sS -o /dev/null --connect-timeout 3 -m 3 "telnet://$1:$2" < /dev/null 2>&1)
    case $told in
        *'Connected to '*) printf ok ;;
        *'Could not resolve'*) printf unresolved ;;
        *'onnection refused'*) printf refused ;;
        *) printf filtered ;;
    esac
}
probe() { # HOST PORT
    case $1 in
        *[!0-9.]*) ;;
        *)
            fields "$1" "$2" "$(connects "$1" "$2")" "" "$1"
            return
            ;;
    esac
    found=$(getent ahosts "$1" | awk '!seen[$1]++ { print $1 }')
    outcome=unresolved
    status=
    [ -n "$found" ] && outcome=$(connects "$1" "$2")
    case $outcome$2 in
        ok80 | ok443)
            scheme=http
            [ "$2" = 443 ] && scheme=https
            status=$(curl -sS -o /dev/null -m 5 -w '%{http_code}' "$scheme://$1/" 2> /dev/null)
            case $? in 35 | 51 | 58 | 59 | 60 | 66 | 77 | 83) outcome=tls ;; esac
            [ "$status" = 000 ] && status=
            ;;
    esac
    fields "$1" "$2" "$outcome" "$status" "$(printf '%s' "$found" | tr '\n' ' ')"
    for address in $found; do
        case $address in *[!0-9.]*) ;; *) probe "$address" "$2" ;; esac
    done
}
kube() {
    if has k3s; then k3s kubectl "$@" 2> /dev/null
    elif has kubectl && [ -r /etc/kubernetes/admin.conf ]; then kubectl --kubeconfig /etc/kubernetes/admin.conf "$@" 2> /dev/null
    else return 1; fi
}
targets() { # HOST PORT: what was asked for, and what each node of a cluster must reach of the others
    for target in "$@"; do printf '%s %s\n' "${target%:*}" "${target##*:}"; done
    own=$(hostname)
    kube get nodes --no-headers -o 'custom-columns=N:.metadata.name,A:.status.addresses[?(@.type=="InternalIP")].address,C:.metadata.labels.node-role\.kubernetes\.io/control-plane,E:.metadata.labels.node-role\.kubernetes\.io/etcd' |
        awk -v own="$own" '$1 != own {
            sub(/,.*/, "", $2); print $2, 10250
            if ($3 == "true") print $2, 6443
            if ($4 == "true") { print $2, 2379; print $2, 2380 }
        }'
    # No policy stands between a node and the pods of the system: they show the network between nodes.
    kube get pods -n kube-system --no-headers -o 'custom-columns=N:.spec.nodeName,H:.spec.hostNetwork,A:.status.podIP,R:.status.containerStatuses[0].ready,P:.spec.containers[0].ports[?(@.protocol=="TCP")].containerPort' |
        awk -v own="$own" '$1 != own && $2 != "true" && $4 == "true" && $5 ~ /^[0-9]/ && !seen[$1]++ { sub(/,.*/, "", $5); print $3, $5 }'
}
if has curl; then
    begin reached
    targets "$@" | sort -u | {
        tried=0
        while read -r host port; do
            case $port in '' | *[!0-9]*) continue ;; esac
            probe "$host" "$port" &
            tried=$((tried + 1))
            # Twenty at a time: a host that is tried is not to notice.
            [ $((tried % 20)) -eq 0 ] && wait
        done
        wait
    } | sort -u
    end reached
else missing reached "curl is not installed"; fi

printf '#gx-host end\n'
