package deflate_test

import (
	"fmt"

	"github.com/yimmo-host/yimmo-host/host/deflate"
	"github.com/yimmo-host/yimmo-host/host/frame"
)

// A session: the offer, three frames in, and one out.
func Example() {
	policy := deflate.Policy{ContextTakeover: true}
	pool := deflate.NewPool(policy)

	header := []string{"permessage-deflate; server_max_window_bits=10; client_max_window_bits"}
	params, response, ok := pool.Negotiate(header)
	fmt.Println(response, ok)

	in, out := pool.Inflater(params), pool.Deflater(params)
	var d frame.Decoder
	d.AllowRSV1(true)
	var fault error
	for wire := fromClient(); len(wire) > 0 && fault == nil; {
		f, n, err := d.Next(wire)
		fault, wire = err, wire[n:]
		switch packed := f.Flags&frame.RSV1 != 0 || f.Flags&frame.MaskOpcode == frame.OpContinuation && in.Open(); {
		case !packed:
			fmt.Printf("%02x %s\n", f.Flags, f.Payload)
		case f.Flags&frame.FIN == 0:
			in.Add(f.Payload)
		default:
			var message []byte
			message, fault = in.Append(nil, f.Payload, frame.DefaultMessage)
			fmt.Printf("%s\n", message)
		}
	}
	fmt.Println(fault.(*frame.Error).Code, fault)

	for range 2 {
		reply := out.AppendFrame(nil, frame.FIN|frame.OpText, []byte("No two messages are alike, but these are."))
		fmt.Printf("%02x, less than 20 bytes: %t\n", reply[0], len(reply) < 20)
	}
	// Output:
	// permessage-deflate; server_max_window_bits=10 true
	// 89 still there?
	// Hello
	//
	// 1007 compressed data is broken
	// c1, less than 20 bytes: false
	// c1, less than 20 bytes: true
}

// fromClient is "Hello" in two frames with a ping between, and then nonsense.
func fromClient() (wire []byte) {
	for _, f := range []string{
		"41 83 00 00 00 00 f2 48 cd",
		"89 8c 00 00 00 00 73 74 69 6c 6c 20 74 68 65 72 65 3f",
		"80 84 00 00 00 00 c9 c9 07 00",
		"c1 81 00 00 00 00 ff",
	} {
		wire = append(wire, unhex(f)...)
	}
	return wire
}
