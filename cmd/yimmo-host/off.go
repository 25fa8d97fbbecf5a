package main

import (
	"fmt"
	"strconv"
)

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

// OffAddress is an [Address], or "": none.
type OffAddress Address

func (a *OffAddress) fromTOML(v any) error {
	if v == any("") {
		*a = ""
		return nil
	}
	return (*Address)(a).fromTOML(v)
}

func (a *OffAddress) fromText(s string) error {
	if s == "" {
		*a = ""
		return nil
	}
	return (*Address)(a).fromText(s)
}

// Switch is on or off: true or false.
type Switch bool

func (b *Switch) fromTOML(v any) error {
	on, ok := v.(bool)
	if !ok {
		return wrongType(v, "true or false without quotes")
	}
	*b = Switch(on)
	return nil
}

func (b *Switch) fromText(s string) error {
	on, err := strconv.ParseBool(s)
	if err != nil || len(s) == 1 {
		return fmt.Errorf("%q: write true or false", s)
	}
	*b = Switch(on)
	return nil
}
