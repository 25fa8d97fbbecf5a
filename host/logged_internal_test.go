package host

import "log/slog"

// logged is h with a log that drops everything.
func (h *Host) logged() *Host {
	h.log = slog.New(slog.DiscardHandler)
	return h
}
