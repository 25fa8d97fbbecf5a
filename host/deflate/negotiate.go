package deflate

import "strconv"

// Bits of a window: 2 to that many bytes, RFC 7692 section 7.1.2.
const (
	MinBits = 8
	MaxBits = 15
)

// Policy is what the host wants of compression.
type Policy struct {
	// ContextTakeover lets both sides refer to earlier messages: 60 bytes of JSON
	// become 19 that would not shrink alone, 250 become 103 rather than 170. But
	// a session costs memory while it is idle; see the package comment. Default
	// false: no message refers to another, and an idle session keeps nothing.
	ContextTakeover bool

	// ClientBits is the largest window that a client may refer back into, 9 to
	// 15: its 2 to the ClientBits bytes are what a session with context takeover
	// keeps to inflate. Default 15. A client that cannot be limited is told to
	// take no context over. 8 may not be asked for: common clients cannot do it.
	ClientBits int

	// Level is how hard to compress, 1 to 9. Default 1, which keeps 8 KiB of
	// context where the others keep 32. Level 9 saves another tenth to a quarter
	// of the bytes, and takes 2 to 5 times as long without context, 10 to 30 times with.
	Level int

	// Threshold is the size in bytes below which a message is sent as it is; of
	// a fragmented one the first frame decides. Default 128, with context
	// takeover 32. Messages that do not get smaller are sent as they are too.
	Threshold int

	// Ratio is how many times its bytes on the wire a message may inflate to, on
	// top of 1 MiB that any may. Above it: 1009. Default 200: copies of text in
	// the window reach 130, only runs of one pattern the 1032 that DEFLATE can do.
	Ratio int
}

// withDefaults returns p with every zero field filled in.
func (p Policy) withDefaults() Policy {
	if p.ClientBits == 0 {
		p.ClientBits = MaxBits
	}
	if p.Level == 0 {
		p.Level = 1
	}
	if p.Threshold == 0 {
		p.Threshold = 128
		if p.ContextTakeover {
			p.Threshold = 32
		}
	}
	if p.Ratio == 0 {
		p.Ratio = 200
	}
	return p
}

// Params is what client and server agreed on for one session.
type Params struct {
	ServerTakeover bool // the server may refer to its earlier messages
	ClientTakeover bool // the client may
	ServerBits     int  // window of what the server sends, 8 to 15
	ClientBits     int  // window of what the client sends, 8 to 15
}

// Negotiate accepts the first offer that can be honoured exactly. header is the
// lines of the request's Sec-WebSocket-Extensions, response the value of the
// answer's. Without such an offer ok is false, and the answer has no such header.
//
// An offer is declined when it has a parameter that is unknown, twice there,
// out of range or with a value where none belongs, or none where one does
// (RFC 7692 section 7.1). Names are compared byte by byte.
func Negotiate(header []string, policy Policy) (p Params, response string, ok bool) {
	policy = policy.withDefaults()
	for _, o := range ParseOffers(header) {
		if o.Name != extension {
			continue
		}
		if w, ok := wishesOf(o.Params); ok {
			p, response = w.answer(&policy)
			return p, response, true
		}
	}
	return Params{}, "", false
}

// Section 7.
const (
	extension             = "permessage-deflate"
	serverNoTakeover      = "server_no_context_takeover"
	clientNoTakeover      = "client_no_context_takeover"
	serverMaxWindowBits   = "server_max_window_bits"
	clientMaxWindowBits   = "client_max_window_bits"
	numberOfKnownSettings = 4
)

// wishes is what an acceptable offer asks for.
type wishes struct {
	serverNoTakeover bool
	clientNoTakeover bool
	serverBits       int  // 0: not mentioned
	clientBits       int  // 15: offered without a value
	clientLimit      bool // client_max_window_bits is there
}

// wishesOf reads an offer's parameters. It reports false when it must be declined.
func wishesOf(params []Param) (w wishes, ok bool) {
	if len(params) > numberOfKnownSettings {
		return w, false // some are unknown or twice there
	}
	w.clientBits = MaxBits
	for i, p := range params {
		for _, before := range params[:i] {
			if p.Name == before.Name {
				return w, false
			}
		}
		ok := true
		switch p.Name {
		case serverNoTakeover:
			w.serverNoTakeover, ok = true, !p.HasValue
		case clientNoTakeover:
			w.clientNoTakeover, ok = true, !p.HasValue
		case serverMaxWindowBits:
			w.serverBits, ok = parseBits(p.Value)
		case clientMaxWindowBits:
			w.clientLimit = true
			if p.HasValue {
				w.clientBits, ok = parseBits(p.Value)
			}
		default:
			ok = false
		}
		if !ok {
			return w, false
		}
	}
	return w, true
}

// parseBits reads 8 to 15 without a leading zero, section 7.1.2.
func parseBits(s string) (int, bool) {
	for bits := MinBits; bits <= MaxBits; bits++ {
		if s == strconv.Itoa(bits) {
			return bits, true
		}
	}
	return 0, false
}

// answer fixes the parameters and writes the response.
func (w *wishes) answer(policy *Policy) (p Params, response string) {
	p = Params{
		ServerTakeover: policy.ContextTakeover && !w.serverNoTakeover,
		ClientTakeover: policy.ContextTakeover && !w.clientNoTakeover,
		ServerBits:     MaxBits,
		ClientBits:     w.clientBits,
	}
	response = extension
	if !p.ServerTakeover {
		response += "; " + serverNoTakeover
	}
	if policy.ClientBits < p.ClientBits {
		if w.clientLimit {
			p.ClientBits = policy.ClientBits
		} else {
			p.ClientTakeover = false // section 7.1.1.2 allows it unasked
		}
	}
	if !p.ClientTakeover {
		response += "; " + clientNoTakeover
	}
	if w.serverBits != 0 { // never unasked: some clients take it for a mistake
		p.ServerBits = w.serverBits
		response += "; " + serverMaxWindowBits + "=" + strconv.Itoa(p.ServerBits)
	}
	if p.ClientBits < MaxBits { // below 15 only when offered, section 7.1.2.2
		response += "; " + clientMaxWindowBits + "=" + strconv.Itoa(p.ClientBits)
	}
	return p, response
}
