package trace

// Digest is digest.
func Digest(commands, data []byte, memory uint64) uint64 { return digest(commands, data, memory) }
