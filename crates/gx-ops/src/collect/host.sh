#!/bin/sh
# Tells what a machine is and runs. Reads only; prints no arguments of programs and no contents of
# files. Lines are fields with tabs between them, in sections that begin with "#begin NAME" and end
# with "#end NAME"; "#missing NAME WHY" stands where a section cannot be had.
# Run it as root for all of it: ssh HOST 'sudo sh -s' < host-script > HOST.txt
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
fields open_files "$(ulimit -n)"
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

if has docker && docker info > /dev/null 2>&1; then
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
    missing containers "docker does not run here"
    missing docker "docker does not run here"
    missing docker_images "docker does not run here"
fi

if has k3s; then ctr="k3s ctr"; elif has ctr; then ctr=ctr; else ctr=; fi
if [ -n "$ctr" ] && $ctr -n k8s.io images ls > /dev/null 2>&1; then
    begin containerd_images
    $ctr -n k8s.io images ls | awk 'NR > 1 { print $1 "\t" $3 "\t" $4 $5 "\t" $6 }'
    end containerd_images
else missing containerd_images "containerd cannot be asked"; fi

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
            print source "\t" user "\t" schedule "\t" $(n + 1) "\t" path
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
} | while IFS="$TAB" read -r source user schedule program path; do
    exists=no
    runs=no
    case $program in
        /*) [ -e "$program" ] && exists=yes; [ -x "$program" ] && runs=yes ;;
        *)
            (PATH=${path:-/usr/bin:/bin}; command -v "$program") > /dev/null 2>&1 &&
                exists=yes runs=yes
            ;;
    esac
    fields "$source" "$user" "$schedule" "$program" "$exists" "$runs" "$path"
done
end cron

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
    fields ufw yes ""
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
for key in net.ipv4.conf.all.rp_filter net.ipv4.ip_forward vm.swappiness fs.inotify.max_user_watches fs.inotify.max_user_instances vm.max_map_count vm.overcommit_memory; do
    file=/proc/sys/$(printf '%s' "$key" | tr . /)
    [ -r "$file" ] && fields "$key" "$(cat "$file")"
done
end sysctl

if [ -d /var/log/journal ]; then
    begin journal
    du -sk /var/log/journal 2> /dev/null | cut -f1
    end journal
else missing journal "there is no /var/log/journal"; fi

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
if has etcdctl && [ -r "$tls/client.key" ]; then
    begin etcd_members
    ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert="$tls/server-ca.crt" --cert="$tls/client.crt" --key="$tls/client.key" member list 2> /dev/null |
        awk -F', ' '{ print $1 "\t" $2 "\t" $3 "\t" $4 "\t" $6 }'
    end etcd_members
    begin etcd_health
    ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cluster --cacert="$tls/server-ca.crt" --cert="$tls/client.crt" --key="$tls/client.key" endpoint health 2> /dev/null |
        awk '{ took = ""; if (match($0, /took = [0-9.a-zµ]+/)) took = substr($0, RSTART + 7, RLENGTH - 7); print $1 "\t" (/is healthy/ ? "yes" : "no") "\t" took }'
    end etcd_health
else
    missing etcd_members "etcdctl or its certificate is not here"
    missing etcd_health "etcdctl or its certificate is not here"
fi

printf '#gx-host end\n'
