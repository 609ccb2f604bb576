# SPDX-License-Identifier: BSD-2-Clause
# What zsh offers for a command line, one candidate a line: zsh -f complete.zsh LINE
# Completion wants a terminal and somebody who types. So a second zsh has a terminal, reads
# this file too, and is typed the line, a tab, and a key at which it ends. Its compadd writes
# down what it is given.

if [[ -n $CANDIDATES ]]; then
	autoload -Uz compinit && compinit -D -u
	eval "$(bayctl completion zsh)"
	compadd() {
		local -a found
		local prefix
		# Asked what would match, it offers nothing yet.
		if [[ " ${@[1,(i)--]} " == *" "-[a-zA-Z]#[OAD]" "* ]]; then
			builtin compadd "$@"
			return
		fi
		builtin compadd -O found "$@"
		(( ! ${@[(I)-p]} )) || prefix=${@[${@[(I)-p]}+1]}
		(( ! $#found )) || print -rl -- "$prefix"${^found} >>$CANDIDATES
		builtin compadd "$@"
	}
	done-completing() { exit }
	zle -N done-completing
	bindkey '^X' done-completing
	print READY-${:-NOW}
	return
fi

zmodload zsh/zpty || exit 1
setopt extended_glob
export CANDIDATES=$(mktemp)
zpty asked zsh -f -i -o extended_glob
zpty -w asked "source ${(q)0:a}"
zpty -r -m asked text '*READY-NOW*'
zpty -n -w asked "$1"$'\t\C-X'
while zpty -r asked text; do :; done
zpty -d asked
sort -u $CANDIDATES
rm -f $CANDIDATES
