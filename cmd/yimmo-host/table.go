package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// Table is what a plugin is told with its start event: text by key. Nested TOML
// tables are flattened with dots, lists with the index: "rooms.0.name". Numbers
// are decimal, booleans true or false, times RFC 3339.
type Table map[string]string

func (t *Table) fromTOML(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return wrongType(v, "a table, [plugins.NAME.config]")
	}
	*t = Table{}
	return t.add("", m)
}

func (t *Table) fromText(s string) error {
	return fmt.Errorf("%q: name the key too, as in YIMMO_PLUGINS_NAME_CONFIG_KEY", s)
}

func (t Table) add(key string, v any) error {
	below := func(name string, v any) error {
		if key != "" {
			name = key + "." + name
		}
		return t.add(name, v)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := below(name, v[name]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for i, e := range v {
			if err := below(strconv.Itoa(i), e); err != nil {
				return err
			}
		}
		return nil
	case []map[string]any:
		for i, e := range v {
			if err := below(strconv.Itoa(i), e); err != nil {
				return err
			}
		}
		return nil
	}
	if _, taken := t[key]; taken {
		return fmt.Errorf("%q: two values have this key once tables and lists are flattened, rename one", key)
	}
	t[key] = textOf(v)
	return nil
}

// textOf renders a TOML scalar for a guest.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
			return strconv.FormatFloat(v, 'e', -1, 64)
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return textOfTime(v)
	}
	return fmt.Sprint(v) // int64, bool
}

// textOfTime gives a TOML time as it was meant: the decoder marks values
// without date, clock or zone by the name of their location.
func textOfTime(t time.Time) string {
	switch t.Location().String() {
	case "datetime-local":
		return t.Format("2006-01-02T15:04:05.999999999")
	case "date-local":
		return t.Format("2006-01-02")
	case "time-local":
		return t.Format("15:04:05.999999999")
	}
	return t.Format(time.RFC3339Nano)
}
