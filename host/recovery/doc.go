// Package recovery makes a call that fails one that never was.
//
// A [Guest] stands between a lane and its instance. It keeps a checkpoint of the
// instance and a journal of the calls since: what they were given, and a digest of
// what they answered. When a call fails, in whatever way, the instance is put back
// to the checkpoint and given the calls of the journal again. Their commands were
// carried out the first time; now their answers are only compared. Then the
// instance stands where it stood before the call that failed, and the caller
// learns so by a [*guest.UndoneError]: it can make the call again without the
// event that is to blame.
//
// That rests on a guest being a function of its events (ABI section 16). One whose
// answers differ the second time has diverged; nothing it says can be relied upon
// and it is given up: the caller gets the original error.
//
// The journal is bounded by events, bytes and time, see [Options]; a new checkpoint
// empties it.
package recovery
