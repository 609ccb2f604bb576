#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Shows Bay at work: starts bayd from the tree that it was built in, puts the samples to the
# test, then serves until Ctrl-C. Exits with 0 only if every answer was right.
set -u

usage() {
	cat <<END
usage: demo.sh [--once] [DIRECTORY]
  --once     end after the show; so it does when standard input is no terminal
  DIRECTORY  where Bay was built, if not in the source tree
END
}

die() {
	printf 'demo.sh: %s\n' "$*" >&2
	exit 1
}

once=no
source=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=$source
[ -t 0 ] || once=yes
for argument; do
	case $argument in
	--once) once=yes ;;
	-h | --help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*)
		[ -d "$argument" ] || { usage >&2; die "there is no directory $argument"; }
		build=$(cd "$argument" && pwd) || exit 1
		;;
	esac
done

bold='' green='' red='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then
	bold=$(printf '\033[1m') green=$(printf '\033[32m') red=$(printf '\033[31m')
	dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi

# --- the container --------------------------------------------------------------------------

bayd=''          # its process while it runs
wrong=0          # answers that were not right
work=''          # a directory of our own
asked=''         # we were to end

# Waits until all services are ready, and for half a minute at most.
start_bayd() {
	container/bayd -c etc/demo.ini </dev/null >"$work/log" 2>&1 &
	bayd=$!
	deadline=$(($(now_ms) + 30000))
	until container/bayctl -q is-ready >/dev/null 2>&1; do
		if ! kill -0 "$bayd" 2>/dev/null || [ "$(now_ms)" -gt "$deadline" ] ||
			container/bayctl -q is-failed >/dev/null 2>&1; then
			cat "$work/log" >&2
			die 'bayd did not get ready; its log is above'
		fi
		sleep 0.02
	done
}

# Ends it and waits for its end, whatever asked for it: a Ctrl-C reaches bayd as well.
stop_bayd() {
	[ -n "$bayd" ] || return 0
	container/bayctl shutdown --now >/dev/null 2>&1 || kill "$bayd" 2>/dev/null
	wait "$bayd"
	status=$?
	bayd=''
	return "$status"
}

clean() {
	stop_bayd
	rm -rf "$work"
	if [ "$build" != "$source" ]; then
		rm -f "$build/etc/demo.ini"
		rmdir "$build/etc" 2>/dev/null
	fi
}

# --- showing ----------------------------------------------------------------------------------

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# say SENTENCE: what comes next.
say() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# begin COMMAND: the first half of a line, before the command is run.
begin() {
	printf '  $ %-54s' "$1"
	begun_ms=$(now_ms)
}

# end TEST...: its other half, with the time and whether the test holds.
end() {
	took_ms=$(($(now_ms) - begun_ms))
	printf '%s%4d.%03d s%s' "$dim" $((took_ms / 1000)) $((took_ms % 1000)) "$plain"
	if "$@"; then
		printf '  %sok%s\n' "$green" "$plain"
	else
		printf '  %sWRONG%s\n' "$red" "$plain"
		wrong=$((wrong + 1))
	fi
}

# ask COMMAND TEST ARGUMENT...: calls bayctl; shows the command, the time, what TEST says of
# the answer, and the answer.
ask() {
	test=$2
	begin "$1"
	shift 2
	answer=$(container/bayctl "$@" 2>&1)
	end "$test"
	printf '%s\n' "$answer" | sed 's/^/    /'
}

# --- what is right ------------------------------------------------------------------------------

square_is_right() {
	[ "$answer" = 25 ]
}

both_is_right() {
	[ "$answer" = "$(printf 'Service 1 complete\nService 2 complete')" ] &&
		[ "$took_ms" -ge 2000 ] && [ "$took_ms" -lt 3000 ]
}

pipeline_is_right() {
	printf '%s\n' "$answer" | awk '
		/^consumer / { taken += $4; consumers++ }
		/^1000 produced, 1000 taken, 0 lost, 0 twice; / { whole = $11 <= 16 }
		END { exit !(whole && taken == 1000 && consumers == 3) }'
}

# The words of the text with five letters or more, counted by other means.
count_words() {
	tr -cs "[:alpha:]'" '\n' <"$poem" | tr '[:upper:]' '[:lower:]' | sed "s/^'*//; s/'*$//" |
		awk 'length >= 5' | LC_ALL=C sort | uniq -c | LC_ALL=C sort -k1,1nr -k2
}

counted_is_right() {
	[ "$answer" = "$(count_words |
		awk '{ words += $1 } END { print words " words, " NR " different, 0 left out" }')" ]
}

top_is_right() {
	[ "$(printf '%s\n' "$answer" | awk '{ print $1, $2 }')" = \
		"$(count_words | awk 'NR <= 5 { print $1, $2 }')" ]
}

add_is_right() {
	[ "$answer" = 42 ]
}

# --- the show -----------------------------------------------------------------------------------

show() {
	say 'A container of services; each is a plugin from plugins/.'
	begin 'bayd -c etc/demo.ini'
	start_bayd
	end true

	say 'A function of ten lines.'
	ask 'bayctl call square 5' square_is_right call square 5

	say 'Two services sleep 1 s and 2 s. Asked at once that is 2 s and not 3.'
	ask 'bayctl call both' both_is_right call both

	say 'A producer and three consumers, with room for 16 items between them.'
	ask 'bayctl call pipeline' pipeline_is_right call pipeline

	say 'State that stays: the words of a poem, counted now and asked for later.'
	ask 'bayctl call wordcount - < raven.txt' counted_is_right call wordcount - <"$poem"
	ask "bayctl call wordcount '/top 5'" top_is_right call wordcount '/top 5'

	say 'A program in another language, a shell here, that answers one line after the other.'
	ask "bayctl call add '40 2'" add_is_right call add '40 2'
}

serve() {
	say 'Serving until Ctrl-C. In another terminal:'
	cat <<END

    cd $build
    container/bayctl list                  the services
    container/bayctl call square 12        call one
    container/bayctl call both & sleep 0.5; container/bayctl tasks
                                           what is going on at this moment
    container/bayctl stats                 counts and latencies
    container/bayctl log -f                the log as it grows
    container/bayctl help                  all the rest
END
	trap 'asked=yes' INT TERM HUP
	wait "$bayd"
	status=$?
	# Ctrl-C reaches bayd as well, which may end before we hear of it.
	if [ "$status" -eq 0 ]; then
		bayd=''
	elif [ -n "$asked" ]; then
		stop_bayd
	else
		bayd=''
		cat "$work/log" >&2
		die "bayd ended by itself with status $status; its log is above"
	fi
}

for file in container/bayd container/bayctl plugins/square.so; do
	[ -e "$build/$file" ] ||
		die "there is no $build/$file: run make, or name the directory that Bay was built in"
done
cd "$build" || exit 1
# bayd takes no plugin that somebody else could have put there.
for place in "$build" "$build/plugins" "$build/plugins/square.so"; do
	[ -z "$(find "$place" -prune -perm /022)" ] ||
		die "others may write to $place, so bayd would not load plugins from it:
  chmod -R go-w $build"
done
unset BAY_SOCKET
if [ -e run/control.sock ] && container/bayctl ping >/dev/null 2>&1; then
	die "a container serves $build/run already: container/bayctl info says which"
fi
poem=$source/plugins/wordcount/raven.txt
work=$(mktemp -d "${TMPDIR:-/tmp}/bay-demo-XXXXXX") || exit 1
trap clean EXIT
# PIPE: who looked at it has gone; the end by a signal would run no trap.
trap 'exit 130' INT TERM HUP PIPE
if [ "$build" != "$source" ]; then
	mkdir -p etc && cp "$source/etc/demo.ini" etc/demo.ini || exit 1
fi

show
if [ "$wrong" -ne 0 ]; then
	say "Not all of the answers above are right: wrong are $wrong. The log of bayd:"
	cat "$work/log"
	exit 1
fi
if [ "$once" = yes ]; then
	stop_bayd
else
	serve
fi
