#!/usr/bin/env bash
# Install what Linkway needs to be built, tried and measured, on Debian: see packages.txt and requirements.txt.
# Only what is missing is installed, so it takes well under a second where nothing is.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The names of packages of which the tell-tale file is not there.
missing_packages() {
    local package telltales telltale found
    while read -r package telltales; do
        case $package in '' | '#'*) continue ;; esac
        found=
        for telltale in ${telltales//|/ }; do
            # A pattern is expanded by now; one that matches nothing stands for itself.
            [ -e "$telltale" ] && found=yes
        done
        [ -n "$found" ] || echo "$package"
    done < scripts/packages.txt
}

install_packages() {
    command -v apt-get > /dev/null || {
        echo "setup: this is no Debian; install these yourself: $*" >&2
        exit 1
    }
    echo "setup: installing $*"
    # Debian starts a server that it installs, now and at every boot. Here, nobody asked for one.
    local policy=/usr/sbin/policy-rc.d ours=
    if [ ! -e "$policy" ]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null
        as_root chmod 755 "$policy"
    fi
    local status=0
    as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$@" || status=$?
    [ -z "$ours" ] || as_root rm -f "$policy"
    local package
    for package in "$@"; do
        local service=${package%-light}
        service=${service/mariadb-server/mariadb}
        case $service in postgresql | mariadb | haproxy | nginx)
            as_root systemctl disable --quiet "$service" 2> /dev/null || true ;;
        esac
    done
    return "$status"
}

# The .venv is made anew when the list of what is in it changes, or when it was made elsewhere.
install_venv() {
    local stamp=.venv/.installed wanted
    wanted="$PWD $(cksum < scripts/requirements.txt)"
    if [ -x .venv/bin/aws ] && [ -x .venv/bin/pytest ] && [ "$(cat "$stamp" 2> /dev/null)" = "$wanted" ]; then
        return
    fi
    echo "setup: making .venv"
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -r scripts/requirements.txt
    echo "$wanted" > "$stamp"
}

command -v cargo > /dev/null || {
    echo "setup: Rust is missing: https://rustup.rs, or your distribution's package (1.95 or newer)" >&2
    exit 1
}
mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
install_venv
