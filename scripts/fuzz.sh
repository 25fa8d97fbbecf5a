#!/bin/sh
# Runs every fuzz target of the tree for the time given, one after the other.
set -eu
time=${1:-1m}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	(cd "$dir" && go test -list '^Fuzz' . | grep '^Fuzz') | while read -r target; do
		echo "== $dir $target"
		# What a server covers differs from run to run; to minimize that is in vain.
		(cd "$dir" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x .)
	done
done
