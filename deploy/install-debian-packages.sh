#!/bin/sh
# Install the Debian packages that llum's tests use beside Python: a virtual X server, key and mouse events, D-Bus, the
# settings of GNOME, a browser, Node.js for clients and servers that others wrote, systemd to check units with,
# promtool for alerts, and `ip` for network namespaces.
# Does nothing for those that are there. Works as root, or else through sudo. Safe to run again.
set -eu

packages="xvfb xdotool dbus chromium dconf-gsettings-backend gsettings-desktop-schemas libglib2.0-bin systemd iproute2"
# Node.js from its makers brings npm along, and Debian's npm cannot stand beside it.
command -v npm >/dev/null 2>&1 || packages="$packages nodejs npm"
# Debian has promtool only in one package with the server, which the tests do not run.
command -v promtool >/dev/null 2>&1 || packages="$packages prometheus"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "install-debian-packages: this is not Debian or Ubuntu; install these yourself: $packages" >&2
    exit 1
fi

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

missing=""
for package in $packages; do
    is_installed "$package" || missing="$missing $package"
done

if [ -z "$missing" ]; then
    echo "install-debian-packages: all there: $packages"
    exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "install-debian-packages: run me as root (there is no sudo) to install:$missing" >&2
        exit 1
    fi
    as_root="sudo"
fi

run_quietly() {
    log="$(mktemp)"
    if ! $as_root env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        echo "install-debian-packages: failed: $*" >&2
        return 1
    fi
    rm -f "$log"
}

# Nothing that is installed here starts a service, now or when the machine starts: the server of Prometheus is masked
# before its package comes, and the scripts of packages are told so where there is no systemd.
keep_services_off() {
    case " $missing " in
    *" prometheus "*)
        unit=/etc/systemd/system/prometheus.service
        [ -e "$unit" ] || [ -L "$unit" ] || {
            $as_root mkdir -p /etc/systemd/system
            $as_root ln -s /dev/null "$unit"
            echo "install-debian-packages: its server stays off; to use it: systemctl unmask prometheus"
        }
        ;;
    esac
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        $as_root chmod 755 "$policy"
        trap '$as_root rm -f "$policy"' EXIT
    fi
}

echo "install-debian-packages: installing:$missing"
keep_services_off
# The package lists may be absent or stale: only then are they fetched.
# shellcheck disable=SC2086 # the names are words of their own
if ! run_quietly apt-get install -y -q --no-install-recommends $missing 2>/dev/null; then
    run_quietly apt-get update -q
    run_quietly apt-get install -y -q --no-install-recommends $missing
fi
echo "install-debian-packages: done"
