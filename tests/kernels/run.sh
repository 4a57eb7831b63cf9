#!/usr/bin/env bash
# Try Linkway on another kernel, in a virtual machine that has this machine's files: Debian 12's own, the oldest that
# the README names. Usage: tests/kernels/run.sh [COMMAND…]   Without a command, tests/kernels/inside.sh.
# The packages that this takes are unpacked below target/kernels; none is installed. What the machine writes to its
# disk is in its memory and goes with it, but for what is below target/kernels/shared.
#   $KERNEL: the package (linux-image-amd64)      $KERNEL_SECONDS: how long all may take (7200)
set -euo pipefail
cd "$(dirname "$0")/../.."

place=$PWD/target/kernels
shared=$place/shared
libraries=usr/lib/x86_64-linux-gnu

# Unpack packages, and what they need and this machine has not, into a directory; not again if it is there.
unpack() {
    local into=$1 package
    shift
    [ -e "$into/.whole" ] && return
    rm -rf "$into" && mkdir -p "$into/archives/partial"
    "$@" "$into"
    for package in "$into"/archives/*.deb; do dpkg-deb -x "$package" "$into"; done
    rm -rf "$into/archives"
    touch "$into/.whole"
}

fetch_machine() {
    apt-get install -q -y --no-install-recommends --download-only -o Dir::Cache::archives="$1/archives" \
        -o APT::Sandbox::User=root qemu-system-x86 > "$1/apt.log"
    (cd "$1/archives" && apt-get download -q -o APT::Sandbox::User=root busybox-static >> "$1/apt.log")
}

fetch_kernel() {
    local package
    package=$(apt-cache depends "${KERNEL:-linux-image-amd64}" | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
    (cd "$1/archives" && apt-get download -q -o APT::Sandbox::User=root "${package:-$KERNEL}" > "$1/apt.log")
}

# What starts first: it has the drivers for the way to this machine's files, and goes on in them.
make_initramfs() {
    local into=$place/initramfs module modules=$kernel/lib/modules/$release
    rm -rf "$into" && mkdir -p "$into/bin" "$into/lib/modules/$release" "$into"/{proc,sys,dev,host,over,root}
    cp "$busybox" "$into/bin/busybox"
    cp tests/kernels/init "$into/init"
    [ -e "$modules/modules.dep" ] || "$busybox" depmod -b "$kernel" "$release"
    for module in virtio_pci 9pnet_virtio 9p overlay; do
        grep -E "/$module\.ko(\.xz)?:" "$modules/modules.dep"
    done | tr -d : | tr ' ' '\n' | sort -u | while read -r module; do
        install -D "$modules/$module" "$into/lib/modules/$release/$module"
    done
    cp "$modules"/modules.{dep,order,builtin} "$into/lib/modules/$release/"
    (cd "$into" && find . | "$busybox" cpio -o -H newc 2> /dev/null) > "$place/initramfs.cpio"
}

unpack "$place/machine" fetch_machine
kernel=$place/${KERNEL:-linux-image-amd64}
unpack "$kernel" fetch_kernel
busybox=$place/machine/bin/busybox
release=$(ls "$kernel/lib/modules")
make_initramfs

mkdir -p "$shared"
rm -f "$shared/status"
if [ $# -eq 0 ]; then
    cargo build --package linkway
    packets=$(cargo test --package linkway-fabric --test packets --no-run --message-format json |
        jq -r 'select(.executable and .target.name == "packets").executable')
    # By links of their own, so that building goes on meanwhile.
    ln -f target/debug/linkway "$shared/linkway"
    ln -f "$packets" "$shared/packets"
fi
printf '%q ' "${@:-tests/kernels/inside.sh}" > "$shared/command"
echo "kernels: Linux $release, in an emulated machine: it takes a while"
LD_LIBRARY_PATH=$place/machine/$libraries:$place/machine/lib/x86_64-linux-gnu \
timeout --foreground "${KERNEL_SECONDS:-7200}" "$place/machine/usr/bin/qemu-system-x86_64" \
    -L "$place/machine/usr/share/qemu" -L "$place/machine/usr/share/seabios" \
    -machine q35 -accel tcg -cpu max -smp 2 -m 3G -nodefaults -no-user-config -no-reboot -display none \
    -serial stdio -nic none \
    -kernel "$kernel/boot/vmlinuz-$release" -initrd "$place/initramfs.cpio" \
    -append "console=ttyS0 quiet panic=-1 linkway.tree=$PWD linkway.modules=$kernel/lib/modules" \
    -virtfs "local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on" \
    -virtfs "local,path=$shared,mount_tag=shared,security_model=none" < /dev/null

status=$(cat "$shared/status" 2> /dev/null || echo none)
[ "$status" = 0 ] || { echo "kernels: it ended with status $status on Linux $release" >&2; exit 1; }
echo "kernels: all is well on Linux $release"
