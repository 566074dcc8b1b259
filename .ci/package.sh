#!/usr/bin/env bash
# Builds the Debian package, installs it in a fresh Debian, and tries there what a user does first. Needs root (for a chroot),
# Debian's mirror and some minutes; exit code 77 where that is not to be had.
# usage: .ci/package.sh [FOLDER FOR THE ROOT, kept afterwards]
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

suite=bookworm
mirror=http://deb.debian.org/debian
package=l2tp-inspect

step() { printf '\n== %s\n' "$1"; }
skip() { printf 'skipped: %s\n' "$1"; exit 77; }
fail() { printf 'package.sh: %s\n' "$1" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || skip "a chroot of Debian needs Linux"
[ "$(id -u)" = 0 ] || skip "a chroot needs root"
if ! command -v debootstrap >/dev/null; then
  { apt-get update -qq && apt-get install -y -qq debootstrap >/dev/null; } || skip "debootstrap is not installed"
fi
cargo deb --version >/dev/null 2>&1 || cargo install cargo-deb --locked

step "build"
# A second line names the package with debugging symbols, which ends with .ddeb.
deb=$(cargo deb --locked | grep '\.deb$') || fail "cargo deb made no package"
dpkg-deb --info "$deb"
dpkg-deb --contents "$deb" | awk '{ print $1, $6 }'

if [ $# -gt 0 ]; then
  root=$1
else
  root=$(mktemp -d)
  # It becomes the root of users who are not root.
  chmod 755 "$root"
  trap 'rm -rf --one-file-system "$root"' EXIT
fi
if [ ! -e "$root/etc/debian_version" ]; then
  step "a fresh $suite"
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 3 "$root.log"; rm -f "$root.log"; skip "debootstrap could not make a root"; }
  rm -f "$root.log"
fi
# Fresh roots of containers leave out manuals, which are what is tried here.
rm -f "$root/etc/dpkg/dpkg.cfg.d/docker"
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

step "install"
cp "$deb" "$root/tmp/"
inside apt-get update -qq
inside apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends man-db bash-completion zsh fish >/dev/null
inside apt install -y -qq -o Dpkg::Use-Pty=0 "/tmp/$(basename "$deb")" 2>&1 | tail -n 3
inside dpkg --verify "$package"

step "the command"
inside "$package" --version
inside "$package" --help | grep -q -- '--export-esp-sa' || fail "--help does not know --export-esp-sa"
sample=testdata/captures/l2tp-ipsec/hello5-dead-peer
cp "$sample/outer.pcap" "$sample/lac-xfrm-state.txt" "$root/tmp/"
chmod 600 "$root/tmp/lac-xfrm-state.txt"
inside sh -c "cd /tmp && $package outer.pcap -k lac-xfrm-state.txt --width 100" | cmp - "$sample/summary.txt" ||
  fail "another report than here"

step "the man page"
inside sh -c "man $package | cat" >"$root/tmp/page"
grep -q 'L2TP over IPsec' "$root/tmp/page" || fail "man $package shows no page"
head -n 4 "$root/tmp/page"

step "completions of --exp<TAB>"
# What bash does when Tab is pressed: load by the name of the command, then call the function with the words so far.
# shellcheck disable=SC2016
inside bash -c '
  . /usr/share/bash-completion/bash_completion
  _completion_loader l2tp-inspect
  COMP_WORDS=(l2tp-inspect --exp) COMP_CWORD=1 COMP_LINE="l2tp-inspect --exp" COMP_POINT=18
  entry=$(complete -p l2tp-inspect)
  [[ $entry =~ -F\ ([^ ]+) ]]
  "${BASH_REMATCH[1]}" l2tp-inspect --exp l2tp-inspect
  echo "bash: ${COMPREPLY[*]}"' | tee "$root/tmp/completed"
inside fish -c 'complete -C "l2tp-inspect --exp"' | sed 's/\t.*//' | sort | xargs echo fish: | tee -a "$root/tmp/completed"
# shellcheck disable=SC2016
inside zsh -fc 'autoload -U compinit && compinit -u -D && echo zsh: ${_comps[l2tp-inspect]}' | tee -a "$root/tmp/completed"
printf '%s\n' 'bash: --explain --export-esp-sa' 'fish: --explain --export-esp-sa' 'zsh: _l2tp-inspect' |
  cmp - "$root/tmp/completed" || fail "completions are not what they should be"

step "remove"
inside apt-get purge -y -qq -o Dpkg::Use-Pty=0 "$package" >/dev/null
left=$(find "$root/usr" "$root/etc" -name "*$package*" | head)
[ -z "$left" ] || fail "left behind: $left"
echo "installed, tried and removed"
