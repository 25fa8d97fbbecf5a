package main

import "fmt"

// OffDuration is a [Duration], or "off": zero.
type OffDuration Duration

func (d *OffDuration) fromTOML(v any) error {
	if v == any("off") {
		*d = 0
		return nil
	}
	if err := (*Duration)(d).fromTOML(v); err != nil {
		return orOff(err)
	}
	return nil
}

func (d *OffDuration) fromText(s string) error {
	if s == "off" {
		*d = 0
		return nil
	}
	if err := (*Duration)(d).fromText(s); err != nil {
		return orOff(err)
	}
	return nil
}

func orOff(err error) error { return fmt.Errorf(`%w; write "off" for that`, err) }

// OffSize is a [Size], or 0: no limit.
type OffSize Size

func (z *OffSize) fromTOML(v any) error {
	if v == any(int64(0)) {
		*z = 0
		return nil
	}
	return (*Size)(z).fromTOML(v)
}

func (z *OffSize) fromText(s string) error {
	if s == "0" {
		*z = 0
		return nil
	}
	return (*Size)(z).fromText(s)
}
