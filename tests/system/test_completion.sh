#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The completion of bayctl's words in real shells, which ask a live daemon. A shell that is
# not installed is passed over.
# shellcheck source=tests/system/lib.sh
. "${srcdir:-$(dirname "$0")/..}/system/lib.sh"

support=$(cd "$srcdir/support" && pwd)
PATH=$built:$PATH
export PATH

# The words of a command line, the last of them typed so far: what a shell would offer, one a
# line, without what is said about it.
in_bash() {
	(cd "$dir" && timeout 60 bash --norc --noprofile -c '
		eval "$(bayctl completion bash)"
		# As readline takes the words apart.
		COMP_WORDS=(bayctl)
		for word; do
			while [[ $word == ?*=* ]]; do
				COMP_WORDS+=("${word%%=*}" =)
				word=${word#*=}
				[[ -n $word ]] || continue 2
			done
			COMP_WORDS+=("$word")
		done
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		typed=${COMP_WORDS[COMP_CWORD]}
		[[ $typed != = ]] || typed=
		_bayctl bayctl "$typed" "${COMP_WORDS[COMP_CWORD-1]}"
		((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"
	' bash "$@" >out 2>err </dev/null)
	answered
}

in_zsh() {
	(cd "$dir" && timeout 60 zsh -f "$support/complete.zsh" "bayctl $*" >out 2>err </dev/null)
	answered
}

in_fish() {
	(cd "$dir" && HOME=$dir XDG_CONFIG_HOME=$dir timeout 60 fish --no-config -c '
		bayctl completion fish | source
		complete -C $argv[1]
	' "bayctl $*" >told 2>err </dev/null)
	answered
	sed 's/	.*//' "$dir/told" >"$dir/out"
}

# Right after a shell: it did not hang.
answered() { [ $? -ne 124 ] || fail "$shell waits for the daemon"; }

has() {
	for word; do
		grep -qxF -e "$word" "$dir/out" || return
	done
}

# offers_when "WORD..." TYPED...: of names that the daemon knows. A shell does not wait for it for
# long, and on a busy machine it may be late.
offers_when() {
	wanted=$1
	shift
	tries=60
	# shellcheck disable=SC2086 # a list of words
	while "in_$shell" "$@" && ! has $wanted && [ "$tries" -gt 0 ]; do
		tries=$((tries - 1))
	done
	# shellcheck disable=SC2086
	offers $wanted
}

# offers WORD..., offers_not WORD...: among the candidates.
offers() {
	for word; do
		grep -qxF -e "$word" "$dir/out" || fail "$shell does not offer $word"
	done
}
offers_not() {
	for word; do
		! grep -qxF -e "$word" "$dir/out" || fail "$shell offers $word"
	done
}

# What holds in every shell; the daemon runs.
completes() {
	shell=$1
	"in_$shell" st
	offers start stop stats status
	offers_not list __complete
	[ "$(wc -l <"$dir/out")" -eq 4 ] || fail "$shell offers more"
	"in_$shell" log --fo
	offers --follow
	"in_$shell" list --fo
	offers_not --follow
	offers_when 'actor echo-too' call ''
	offers_when echo-too call e
	offers_not actor
	# What is a message is nobody's to know.
	"in_$shell" call actor e
	offers_not echo-too
	offers_when echo-too stop actor ''
	offers_not actor
	offers_when forget 'do' wordcount ''
	"in_$shell" check b
	offers bay.ini
	offers_not bay.so
	"in_$shell" inspect b
	offers bay.so
	offers_not bay.ini
	"in_$shell" inspect plugins/a
	offers plugins/actor.so
	"in_$shell" completion ''
	offers bash zsh fish
	"in_$shell" -s none call ''
	offers_not actor echo-too
	offers_when 'actor echo-too' -s "$dir/run/control.sock" call ''
	offers_when 'actor echo-too' "--socket=$dir/run/control.sock" call ''
}

begin 'the shells complete verbs, options, services and files'
plugin actor
cp ../plugins/wordcount.so "$dir/plugins/"
touch "$dir/bay.so"
ini <<'END'
[service actor]
[service echo-too]
plugin = actor
[service wordcount]
END
start
for shell in bash zsh fish; do
	if command -v "$shell" >/dev/null; then
		completes "$shell"
	else
		echo "SKIP: there is no $shell"
	fi
done
if command -v bash >/dev/null; then
	shell=bash
	in_bash --socket=ru
	offers run
	in_bash --socket=
	offers run plugins
	in_bash --timeout=
	[ ! -s "$dir/out" ] || fail 'offers a time'
fi

# A daemon that does not answer is not waited for.
kill -STOP "$bayd"
for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || continue
	"in_$shell" call ''
	offers_not actor
	[ ! -s "$dir/err" ] || fail "$shell complains"
done
kill -CONT "$bayd"
stop

begin 'without a daemon the rest is completed in silence'
for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || continue
	"in_$shell" call ''
	offers_not actor
	"in_$shell" shutd
	offers shutdown
	[ ! -s "$dir/err" ] || fail "$shell complains"
done

begin 'who asks for a shell that nobody knows is told which there are'
ctl completion tcsh
status_is 2
complains 'the shells are bash, zsh and fish'

finish
