package guest

// Stop ends the running call at its next safe point, as the watchdog does. Safe
// for concurrent use.
func (i *Instance) Stop() {
	i.dog.mu.Lock()
	defer i.dog.mu.Unlock()
	i.dog.stop(1)
}
