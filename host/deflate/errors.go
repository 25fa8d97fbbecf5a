package deflate

import "github.com/yimmo-host/yimmo-host/host/frame"

// Faults that [Inflater] finds, besides [frame.ErrTooBig]: with the close code
// and reason to answer them, as those of package frame.
var (
	// ErrData: the compressed bytes are not DEFLATE, or refer back further than
	// there is anything. RFC 7692 names no code for it. The frames are right and
	// what they carry is not, which is 1007 in RFC 6455 section 7.4.1 rather than
	// 1002, the code for broken framing.
	ErrData = &frame.Error{Code: 1007, Reason: "compressed data is broken"}

	// ErrRatio: the message grew more than [Policy.Ratio] allows.
	ErrRatio = &frame.Error{Code: 1009, Reason: "message inflates more than this server accepts"}
)
