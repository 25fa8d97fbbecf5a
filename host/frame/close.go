package frame

import "unicode/utf8"

// NoStatus is the code of a close frame without one, section 7.4.1. It is never on the wire.
const NoStatus = 1005

// ValidCode reports whether a close frame may carry code, either way: section
// 7.4 and the IANA registry, without the codes that only name local events.
func ValidCode(code uint16) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// ParseClose reads the payload of a close frame. An empty one is [NoStatus].
// The reason is a view of p. The error is [ErrCloseSize], [ErrCloseCode] or
// [ErrCloseText], an [*Error]; code and reason are zero then.
func ParseClose(p []byte) (code uint16, reason []byte, err error) {
	switch len(p) {
	case 0:
		return NoStatus, nil, nil
	case 1:
		return 0, nil, ErrCloseSize
	}
	code, reason = uint16(p[0])<<8|uint16(p[1]), p[2:]
	if !ValidCode(code) {
		return 0, nil, ErrCloseCode
	}
	if !utf8.Valid(reason) {
		return 0, nil, ErrCloseText
	}
	return code, reason, nil
}

// AppendClose appends a whole close frame to dst. Code 0 and [NoStatus] give an
// empty payload; other codes are not judged, see [ValidCode], nor is the reason,
// which must be UTF-8. Above [MaxReason] bytes it is cut between characters.
func AppendClose(dst []byte, code uint16, reason string) []byte {
	if code == 0 || code == NoStatus {
		return AppendHeader(dst, FIN|OpClose, 0)
	}
	if len(reason) > MaxReason {
		end := MaxReason
		for end > MaxReason-utf8.UTFMax && !utf8.RuneStart(reason[end]) {
			end--
		}
		reason = reason[:end]
	}
	dst = AppendHeader(dst, FIN|OpClose, 2+len(reason))
	dst = append(dst, byte(code>>8), byte(code))
	return append(dst, reason...)
}
