// Package clients runs clients that nobody here wrote against a host with the
// echo plugin: ws and undici of Node.js, websockets of Python, curl and k6. make
// tools installs them.
package clients
