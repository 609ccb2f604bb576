# SPDX-License-Identifier: BSD-2-Clause
# Completion of bayctl in fish: bayctl itself says what may come next.

function __bayctl_complete
	set -l words (commandline -opc)
	set -l typed (commandline -ct)
	# What stands before the value in --option=value.
	set -l prefix (string match -r -- '^--[^=]*=' "$typed")
	set -l value (string replace -- "$prefix" '' "$typed")

	for line in ($words[1] __complete $words[2..] "$typed" 2>/dev/null)
		switch $line
			case ':files*'
				set -l ending (string replace -r -- '^:files ?' '' $line)
				for file in (__fish_complete_path "$value")
					string match -q -r -- "(/|\\.$ending)(\t|\$)" $file; or test -z "$ending"
					and echo "$prefix$file"
				end
			case '*'
				echo $line
		end
	end
end

complete -c bayctl -f -a '(__bayctl_complete)'
