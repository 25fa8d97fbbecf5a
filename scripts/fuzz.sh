#!/bin/sh
# Runs every fuzz target of the tree for the time given, one after the other.
set -eu
time=${1:-1m}
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
	(cd "$dir" && go test -list '^Fuzz' . | grep '^Fuzz') | while read -r target; do
		echo "== $dir $target"
		(cd "$dir" && go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" .)
	done
done
