// Package browser drives the plugins' pages with a real browser. It has nothing
// but a test: the host runs in the test's own process, with the plugins compiled
// from source, and the scripts in testdata tell Chromium what to do.
//
// It takes Chromium, Node.js and the packages of package-lock.json; what is
// missing fails the test with the command that installs it. Screenshots are kept
// with
//
//	go test ./plugins/browser -artifacts -outputdir /tmp/shots
package browser
