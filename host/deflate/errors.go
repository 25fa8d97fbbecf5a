package deflate

import "github.com/yimmo-host/yimmo-host/host/frame"

// Faults that [Inflater] finds, besides [frame.ErrTooBig]: with the close code
// and reason to answer them, as those of package frame.
var (
	// ErrData: the compressed bytes are not DEFLATE, refer back further than the
	// window goes, or end inside a block. RFC 7692 names no code for it. The
	// frames are right and what they carry is not, which is 1007 in RFC 6455
	// section 7.4.1 rather than 1002, the code for broken framing.
	ErrData = &frame.Error{Code: 1007, Reason: "compressed data is broken"}

	// ErrRatio: the message grew more than [Limits.Ratio] allows.
	ErrRatio = &frame.Error{Code: 1009, Reason: "message inflates more than this server accepts"}

	// ErrBusy: [Limits.Waiting] messages are unfinished already. The peer may
	// try again later, which is what 1013 says.
	ErrBusy = &frame.Error{Code: 1013, Reason: "too many unfinished compressed messages"}
)
