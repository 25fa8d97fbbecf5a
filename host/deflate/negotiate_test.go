package deflate_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/yimmo-host/yimmo-host/host/deflate"
)

// The policies of the table, by the letter that its rows name them with.
var policies = map[string]deflate.Policy{
	"none":     {},
	"takeover": {ContextTakeover: true},
	"small":    {ContextTakeover: true, ClientBits: 11},
	"nosmall":  {ClientBits: 11},
}

const (
	pmd     = "permessage-deflate"
	both    = pmd + "; server_no_context_takeover; client_no_context_takeover"
	snct    = "; server_no_context_takeover"
	cnct    = "; client_no_context_takeover"
	decline = ""
)

func TestNegotiate(t *testing.T) {
	tests := []struct {
		policy, header string // lines of the header are cut at '\n'
		want           string // the response; empty: declined
		params         string // "sc" for the takeovers, then the two windows; empty: not looked at
	}{
		// Without parameters, and with the policy's wishes.
		{"none", pmd, both, "-- 15 15"},
		{"takeover", pmd, pmd, "sc 15 15"},
		{"small", pmd, pmd + cnct, "s- 15 15"},
		{"nosmall", pmd, both, "-- 15 15"},
		{"none", "", decline, ""},
		{"none", "\n\n", decline, ""},

		// server_no_context_takeover and client_no_context_takeover, section 7.1.1.
		{"takeover", pmd + "; server_no_context_takeover", pmd + snct, "-c 15 15"},
		{"takeover", pmd + "; client_no_context_takeover", pmd + cnct, "s- 15 15"},
		{"takeover", pmd + "; client_no_context_takeover; server_no_context_takeover", both, "-- 15 15"},
		{"none", pmd + "; server_no_context_takeover", both, "-- 15 15"},
		{"none", pmd + "; client_no_context_takeover", both, "-- 15 15"},
		{"none", pmd + "; server_no_context_takeover=1", decline, ""},
		{"none", pmd + "; server_no_context_takeover=true", decline, ""},
		{"none", pmd + `; client_no_context_takeover="x"`, decline, ""},
		{"none", pmd + "; client_no_context_takeover=", decline, ""},
		{"none", pmd + "; server_no_context_takeover; server_no_context_takeover", decline, ""},
		{"none", pmd + "; client_no_context_takeover; client_no_context_takeover", decline, ""},

		// server_max_window_bits, section 7.1.2.1: honoured, and answered only then.
		{"takeover", pmd + "; server_max_window_bits=15", pmd + "; server_max_window_bits=15", "sc 15 15"},
		{"takeover", pmd + "; server_max_window_bits=14", pmd + "; server_max_window_bits=14", "sc 14 15"},
		{"takeover", pmd + "; server_max_window_bits=10", pmd + "; server_max_window_bits=10", "sc 10 15"},
		{"takeover", pmd + "; server_max_window_bits=9", pmd + "; server_max_window_bits=9", "sc 9 15"},
		{"takeover", pmd + "; server_max_window_bits=8", pmd + "; server_max_window_bits=8", "sc 8 15"},
		{"takeover", pmd + `; server_max_window_bits="12"`, pmd + "; server_max_window_bits=12", "sc 12 15"},
		{"takeover", pmd + `; server_max_window_bits="1\2"`, pmd + "; server_max_window_bits=12", "sc 12 15"},
		{"none", pmd + "; server_max_window_bits=9", both + "; server_max_window_bits=9", "-- 9 15"},
		{"none", pmd + "; server_max_window_bits", decline, ""},
		{"none", pmd + "; server_max_window_bits=", decline, ""},
		{"none", pmd + `; server_max_window_bits=""`, decline, ""},
		{"none", pmd + "; server_max_window_bits=7", decline, ""},
		{"none", pmd + "; server_max_window_bits=16", decline, ""},
		{"none", pmd + "; server_max_window_bits=99", decline, ""},
		{"none", pmd + "; server_max_window_bits=0", decline, ""},
		{"none", pmd + "; server_max_window_bits=-9", decline, ""},
		{"none", pmd + "; server_max_window_bits=+9", decline, ""},
		{"none", pmd + "; server_max_window_bits=09", decline, ""},
		{"none", pmd + "; server_max_window_bits=9.0", decline, ""},
		{"none", pmd + "; server_max_window_bits=0x9", decline, ""},
		{"none", pmd + "; server_max_window_bits=1 0", decline, ""},
		{"none", pmd + "; server_max_window_bits=18446744073709551625", decline, ""},
		{"none", pmd + "; server_max_window_bits=10; server_max_window_bits=10", decline, ""},
		{"none", pmd + "; server_max_window_bits=10; server_max_window_bits=11", decline, ""},

		// client_max_window_bits, section 7.1.2.2: with and without a value, answered
		// when it says something, never unoffered.
		{"takeover", pmd + "; client_max_window_bits", pmd, "sc 15 15"},
		{"none", pmd + "; client_max_window_bits", both, "-- 15 15"},
		{"takeover", pmd + "; client_max_window_bits=15", pmd, "sc 15 15"},
		{"takeover", pmd + "; client_max_window_bits=12", pmd + "; client_max_window_bits=12", "sc 15 12"},
		{"takeover", pmd + "; client_max_window_bits=8", pmd + "; client_max_window_bits=8", "sc 15 8"},
		{"small", pmd + "; client_max_window_bits", pmd + "; client_max_window_bits=11", "sc 15 11"},
		{"small", pmd + "; client_max_window_bits=15", pmd + "; client_max_window_bits=11", "sc 15 11"},
		{"small", pmd + "; client_max_window_bits=9", pmd + "; client_max_window_bits=9", "sc 15 9"},
		{"nosmall", pmd + "; client_max_window_bits", both + "; client_max_window_bits=11", "-- 15 11"},
		{"none", pmd + "; client_max_window_bits=7", decline, ""},
		{"none", pmd + "; client_max_window_bits=16", decline, ""},
		{"none", pmd + "; client_max_window_bits=", decline, ""},
		{"none", pmd + "; client_max_window_bits=08", decline, ""},
		{"none", pmd + "; client_max_window_bits; client_max_window_bits", decline, ""},
		{"none", pmd + "; client_max_window_bits; client_max_window_bits=10", decline, ""},

		// All of them, and what is not known.
		{"takeover", pmd + "; client_max_window_bits=10; server_max_window_bits=11" + snct + cnct,
			both + "; server_max_window_bits=11; client_max_window_bits=10", "-- 11 10"},
		{"none", pmd + "; unknown", decline, ""},
		{"none", pmd + "; unknown=1; client_max_window_bits", decline, ""},
		{"none", pmd + "; Server_No_Context_Takeover", decline, ""},
		{"none", pmd + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits; x", decline, ""},
		{"none", "Permessage-Deflate", decline, ""},
		{"none", "x-webkit-deflate-frame", decline, ""},
		{"none", "permessage-deflate2", decline, ""},

		// Several offers: the first that can be honoured.
		{"takeover", "x-webkit-deflate-frame, " + pmd, pmd, "sc 15 15"},
		{"takeover", "foo; server_max_window_bits=10, bar, " + pmd, pmd, "sc 15 15"},
		{"takeover", pmd + "; server_max_window_bits=10, " + pmd, pmd + "; server_max_window_bits=10", "sc 10 15"},
		{"takeover", pmd + "; server_max_window_bits=99, " + pmd, pmd, "sc 15 15"},
		{"takeover", pmd + "; x, " + pmd + "; y, " + pmd + snct, pmd + snct, "-c 15 15"},
		{"takeover", "foo\nbar\n" + pmd + "; x\n" + pmd + cnct, pmd + cnct, "s- 15 15"},
		{"takeover", pmd + ", " + pmd + snct, pmd, "sc 15 15"},
		{"none", pmd + "; x, " + pmd + "; y", decline, ""},

		// Grammar: white space, empty elements, quotes, and elements that break it.
		{"takeover", " \t" + pmd + "\t ", pmd, ""},
		{"takeover", pmd + " ;\tserver_max_window_bits \t= 10 ", pmd + "; server_max_window_bits=10", ""},
		{"takeover", pmd + ";server_max_window_bits=10;client_max_window_bits", pmd + "; server_max_window_bits=10", ""},
		{"takeover", ", ,," + pmd + ",", pmd, ""},
		{"takeover", `foo; a=", ` + pmd + `", ` + pmd + snct, pmd + snct, ""},
		{"takeover", `foo; a="\", ` + pmd + `", ` + pmd + snct, pmd + snct, ""},
		{"takeover", `foo; a="b c", ` + pmd, pmd, ""},
		{"takeover", `foo; a=b", ` + pmd + `", ` + pmd + snct, pmd + snct, ""},
		{"takeover", "foo bar, " + pmd, pmd, ""},
		{"takeover", `foo bar; a=", ` + pmd + `, ", ` + pmd + snct, pmd + snct, ""},
		{"takeover", "foo; =1, " + pmd, pmd, ""},
		{"takeover", "@@@, " + pmd, pmd, ""},
		{"takeover", "\x00\xff, " + pmd, pmd, ""},
		{"takeover", `foo; a="unclosed, ` + pmd, decline, ""},
		{"takeover", `foo; a="unclosed\` + "\n" + pmd, pmd, ""},
		{"none", pmd + ";", decline, ""},
		{"none", pmd + ";;client_max_window_bits", decline, ""},
		{"none", pmd + " client_max_window_bits", decline, ""},
		{"none", pmd + "=1", decline, ""},
		{"none", pmd + `; server_max_window_bits="10`, decline, ""},
		{"none", pmd + `; server_max_window_bits="10"0`, decline, ""},
		{"none", pmd + `; server_max_window_bits=" 10"`, decline, ""},
		{"none", `"` + pmd + `"`, decline, ""},
	}
	for _, test := range tests {
		p, got, ok := deflate.Negotiate(strings.Split(test.header, "\n"), policies[test.policy])
		if got != test.want || ok != (test.want != decline) {
			t.Errorf("Negotiate(%q, %s): got %q, %t, want %q", test.header, test.policy, got, ok, test.want)
		}
		if test.params != "" && show(p) != test.params {
			t.Errorf("Negotiate(%q, %s): got parameters %s, want %s", test.header, test.policy, show(p), test.params)
		}
	}
}

func show(p deflate.Params) string {
	s, c := "-", "-"
	if p.ServerTakeover {
		s = "s"
	}
	if p.ClientTakeover {
		c = "c"
	}
	return s + c + " " + itoa(p.ServerBits) + " " + itoa(p.ClientBits)
}

func itoa(n int) string { return []string{"8", "9", "10", "11", "12", "13", "14", "15"}[n-8] }

func TestParseOffers(t *testing.T) {
	got := deflate.ParseOffers([]string{`a; b; c=d; e="f\g", ,bad;;, h`, "", `i="no", j`})
	want := []deflate.Offer{
		{Name: "a", Params: []deflate.Param{{Name: "b"}, {"c", "d", true}, {"e", "fg", true}}},
		{Name: "h"},
		{Name: "j"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("ParseOffers: got %v, want %v", got, want)
	}
}

// Any header: no panic; a response that the rules of section 7.1 allow for some
// offer in the header, and that reads as an offer of its own.
func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{
		pmd, pmd + "; client_max_window_bits", pmd + "; server_max_window_bits=10, " + pmd,
		`foo; a="b\"c", ` + pmd + snct, "a;b=c;d=\"e\",,f", `"`, `a="\`, ";=,",
	} {
		f.Add(s, true, uint8(3))
	}
	f.Fuzz(func(t *testing.T, header string, takeover bool, bits uint8) {
		policy := deflate.Policy{ContextTakeover: takeover, ClientBits: 9 + int(bits%7)}
		lines := strings.Split(header, "\n")
		p, response, ok := deflate.Negotiate(lines, policy)
		if !ok {
			if response != "" || p != (deflate.Params{}) {
				t.Fatalf("Negotiate(%q): declined with %q, %v", header, response, p)
			}
			return
		}
		answer := deflate.ParseOffers([]string{response})
		if len(answer) != 1 || answer[0].Name != pmd {
			t.Fatalf("Negotiate(%q): response %q reads as %v", header, response, answer)
		}
		if !slices.ContainsFunc(deflate.ParseOffers(lines), func(o deflate.Offer) bool { return allowed(o, answer[0], p) }) {
			t.Errorf("Negotiate(%q): response %q with %s suits no offer", header, response, show(p))
		}
		if (p.ServerTakeover || p.ClientTakeover) && !takeover {
			t.Errorf("Negotiate(%q): got takeover %s against the policy", header, show(p))
		}
	})
}

// allowed says whether answer may be the answer to o, and says what p says.
func allowed(o, answer deflate.Offer, p deflate.Params) bool {
	find := func(o deflate.Offer, name string) (string, bool) {
		for _, param := range o.Params {
			if param.Name == name {
				return param.Value, true
			}
		}
		return "", false
	}
	bits := func(o deflate.Offer, name string) int {
		value, there := find(o, name)
		if there && value != "" {
			for n := 8; n <= 15; n++ {
				if itoa(n) == value {
					return n
				}
			}
			return 0
		}
		return 15
	}
	_, asked := find(o, "server_no_context_takeover")
	_, server := find(answer, "server_no_context_takeover")
	_, client := find(answer, "client_no_context_takeover")
	_, offersBits := find(o, "client_max_window_bits")
	_, answersBits := find(answer, "client_max_window_bits")
	_, asksBits := find(o, "server_max_window_bits")
	return o.Name == answer.Name &&
		(!asked || server) && server == !p.ServerTakeover && client == !p.ClientTakeover &&
		(offersBits || !answersBits) && bits(answer, "client_max_window_bits") == p.ClientBits &&
		p.ClientBits <= bits(o, "client_max_window_bits") &&
		p.ServerBits == bits(o, "server_max_window_bits") && p.ServerBits == bits(answer, "server_max_window_bits") &&
		asksBits == strings.Contains(strings.Join(names(answer), " "), "server_max_window_bits")
}

func names(o deflate.Offer) (all []string) {
	for _, p := range o.Params {
		all = append(all, p.Name)
	}
	return all
}
