#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The sum of the whole numbers in a line, by a shell.
#
#	[service sum]
#	plugin  = exec
#	mode    = line
#	command = sh sum.sh
#	failure = "error: "
#
#	$ bayctl call sum '1 2 3'
#	6
while read -r numbers; do
	sum=0
	for number in $numbers; do
		case $number in
		*[!0-9-]* | ?*-* | -) sum="error: $number is no whole number"; break ;;
		esac
		sum=$((sum + number))
	done
	echo "$sum"
done
