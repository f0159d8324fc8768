# For the scripts of both packages, which have it above their own lines: what happens to sites that run.

# New settings or units of ours are to be known, where there is a systemd to know them.
tell_systemd() {
    [ ! -d /run/systemd/system ] || systemctl --system daemon-reload || true
}

# The user and the directories that sites share.
make_common() {
    systemd-sysusers ${DPKG_ROOT:+--root="$DPKG_ROOT"} hostler.conf
    systemd-tmpfiles ${DPKG_ROOT:+--root="$DPKG_ROOT"} --create hostler.conf || true
}

# Brings the new program to every site that runs, one after the other, and none loses a request: a reload waits until the
# new one serves, and where it does not, the old one goes on. That is no reason to leave the package half installed.
reload_sites() {
    [ -d /run/systemd/system ] || return 0
    systemctl list-units --plain --no-legend --state=active,reloading 'hostler@*.service' |
        while read -r site _; do
            $invoke reload "$site" </dev/null ||
                echo "hostler: $site goes on as it was, see 'systemctl status $site'; then: systemctl reload $site" >&2
        done
}

# Ends every site. Sockets and timers come first, so that nothing is started again meanwhile.
stop_sites() {
    [ -d /run/systemd/system ] || return 0
    $invoke stop 'hostler@*.socket' 'hostler-*@*.socket' 'hostler-*@*.timer' || true
    $invoke stop 'hostler@*.service' 'hostler-*@*.service' hostler.target hostler.slice || true
}
