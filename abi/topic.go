package abi

import (
	"errors"
	"unicode/utf8"
)

// ErrTopic reports a topic name, or a topic event's payload, that is malformed:
// the name is empty, longer than [MaxTopic], not UTF-8, or cut short.
var ErrTopic = errors.New("topic: name is not 1 to 255 bytes of UTF-8 inside the payload")

// AppendTopic appends the payload of a topic event to dst: the name, then the
// data. len(name) is the event's code; [CheckTopic] says which names are good.
func AppendTopic(dst []byte, name string, data []byte) []byte {
	dst = append(dst, name...)
	return append(dst, data...)
}

// ParseTopic splits the payload of a topic event whose code is given. Both
// results are views into payload. It fails with [ErrTopic].
func ParseTopic(code uint16, payload []byte) (name, data []byte, err error) {
	if int(code) > len(payload) {
		return nil, nil, ErrTopic
	}
	name, data = payload[:code:code], payload[code:]
	if err := CheckTopic(name); err != nil {
		return nil, nil, err
	}
	return name, data, nil
}

// CheckTopic judges a topic name: 1 to [MaxTopic] bytes of UTF-8, else [ErrTopic].
func CheckTopic(name []byte) error {
	if len(name) == 0 || len(name) > MaxTopic || !utf8.Valid(name) {
		return ErrTopic
	}
	return nil
}
