package abi

//go:generate go run ./gen

// The version of the contract. A guest names the major version in its export
// names and both numbers in its control block; a host refuses another major
// version and accepts any minor one: additions come as feature bits.
const (
	Magic = 0x4f4d4959 // "YIMO" in memory order; first word of the control block
	Major = 1
	Minor = 0
)

// Names that a guest exports. Everything else it exports is its own affair.
const (
	ExportMemory     = "memory"        // required: its one linear memory
	ExportInit       = "yimmo_v1_init" // required: (events, commands, area i32) -> address of the control block, 0 = refuses
	ExportTurn       = "yimmo_v1_turn" // required: (first, n i32) -> number of commands
	ExportInitialize = "_initialize"   // optional: WASI reactor start-up, called once before ExportInit
)

// ImportWASI is the only module that a guest may import from.
const ImportWASI = "wasi_snapshot_preview1"

// Sizes of the fixed layouts, in bytes.
const (
	ControlSize = 96
	RecordSize  = 32
)

// Offsets of the fields of the control block, in bytes.
const (
	OffsetMagic        = 0
	OffsetMajor        = 4
	OffsetMinor        = 6
	OffsetNeeds        = 8
	OffsetWants        = 12
	OffsetEventsAddr   = 16
	OffsetEventsCap    = 20
	OffsetCommandsAddr = 24
	OffsetCommandsCap  = 28
	OffsetAreaAddr     = 32
	OffsetAreaCap      = 36
	OffsetGranted      = 40
	OffsetConsumed     = 44
	OffsetMore         = 48
	OffsetNow          = 56
	OffsetMono         = 64
	OffsetSeed         = 72
	OffsetTurn         = 80
)

// Offsets of the fields of a record, in bytes. Where an event and a command
// name a field differently, both names are here.
const (
	RecordOffsetKind  = 0
	RecordOffsetFlags = 1
	RecordOffsetCode  = 2
	RecordOffsetLen   = 4
	RecordOffsetID    = 8
	RecordOffsetAddr  = 16
	RecordOffsetSeq   = 20 // events
	RecordOffsetTag   = 20 // commands
	RecordOffsetUser  = 24 // events
	RecordOffsetArg   = 24 // commands
)

// Bounds on what a guest may declare in its control block. Ring capacities are
// in records, the area in bytes.
const (
	MinRing = 16
	MaxRing = 65536
	MinArea = 64 << 10
	MaxArea = 256 << 20
)

// What a host asks for in ExportInit unless it is configured otherwise.
const (
	DefaultRing = 1024
	DefaultArea = 256 << 10
)

// A Feature is one bit of the words needs, wants and granted of the control block.
type Feature uint32

// Features. A bit without a name here is reserved: in needs it is refused at
// load, in wants it is ignored, in granted it is zero.
const (
	FeatureHTTP         Feature = 1 << 0 // plain HTTP requests become events
	FeatureMessages     Feature = 1 << 1 // recv delivers whole messages, not frames
	FeatureHold         Feature = 1 << 2 // connect may be decided in a later turn
	FeatureSendMany     Feature = 1 << 3 // one send command for many sessions
	FeatureTimers       Feature = 1 << 4 // timer events
	FeatureTopics       Feature = 1 << 5 // publish, subscribe, topic events
	FeatureBackPressure Feature = 1 << 6 // dropped and drained events
	FeatureState        Feature = 1 << 7 // state export and import
	FeatureCall         Feature = 1 << 8 // outbound calls; reserved, no host offers it yet
)

// An EventKind says what an event record means.
type EventKind uint8

// Event kinds. Zero is never sent.
const (
	EventStart       EventKind = 1  // first event of an instance; payload: fields, the configuration
	EventStop        EventKind = 2  // last event of an instance that ends in good order
	EventConnect     EventKind = 3  // an upgrade request waits for accept or refuse; payload: fields
	EventRecv        EventKind = 4  // one frame, a piece of one, or one message; payload: its data
	EventClose       EventKind = 5  // the session is over; payload: the reason
	EventHTTPRequest EventKind = 6  // a plain request; payload: fields
	EventHTTPBody    EventKind = 7  // more of its body
	EventHTTPGone    EventKind = 8  // its client went away before the answer was complete
	EventTimer       EventKind = 9  // a timer ran out
	EventTopic       EventKind = 10 // a message on a topic that the plugin itself subscribed to
	EventDropped     EventKind = 11 // back-pressure: commands were not carried out
	EventDrained     EventKind = 12 // back-pressure: the session takes data again
	EventRefused     EventKind = 13 // a command was refused; payload: a copy of the command record
	EventStateExport EventKind = 14 // hand over your state
	EventStateImport EventKind = 15 // here is your predecessor's state
	EventCallResult  EventKind = 16 // reserved: the answer to an outbound call
)

// A CommandKind says what a command record asks for.
type CommandKind uint8

// Command kinds. Zero is refused, as is every number without a name here.
const (
	CommandPiece       CommandKind = 1  // continues the payload of the command before it
	CommandAccept      CommandKind = 2  // connect: yes; payload: fields for the 101 answer
	CommandRefuse      CommandKind = 3  // connect: no; payload: fields, pieces: the body
	CommandHold        CommandKind = 4  // connect: decided in a later turn
	CommandSend        CommandKind = 5  // one frame to one session
	CommandSendMany    CommandKind = 6  // one frame to many; payload: session ids, pieces: the data
	CommandClose       CommandKind = 7  // start the closing handshake; payload: the reason
	CommandPublish     CommandKind = 8  // one frame to a topic; payload: its name, pieces: the data
	CommandSubscribe   CommandKind = 9  // payload: the topic's name
	CommandUnsubscribe CommandKind = 10 // payload: the topic's name
	CommandSetUser     CommandKind = 11 // set the session's user word
	CommandTimerSet    CommandKind = 12 // arm the timer named by id, arg nanoseconds from now
	CommandTimerClear  CommandKind = 13 // disarm it
	CommandHTTPHead    CommandKind = 14 // status and headers of an answer; payload: fields, pieces: body
	CommandHTTPBody    CommandKind = 15 // more of the answer's body
	CommandLog         CommandKind = 16 // one line for the operator
	CommandMetric      CommandKind = 17 // a sample; payload: the metric's name
	CommandState       CommandKind = 18 // answer to EventStateExport; FlagEnd on the last
	CommandCall        CommandKind = 19 // reserved: an outbound call
)

// The flags byte of recv events and send commands is the first byte of the
// frame as it stands on the wire, RFC 6455 section 5.2.
const (
	FlagFIN    = 0x80
	FlagRSV1   = 0x40
	FlagRSV2   = 0x20
	FlagRSV3   = 0x10
	MaskOpcode = 0x0f

	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xa
)

// Flags of the records that carry no frame.
const (
	FlagEnd    = 0x80 // http and state: this is the last part
	FlagFlush  = 0x01 // http answer: send at once, do not wait for more
	FlagRepeat = 0x01 // timer set: arm again each time it runs out

	FlagClean       = 0x80 // close event: both close frames were exchanged
	FlagSynthesised = 0x40 // connect and close events that replay or swap made up
	MaskWho         = 0x03 // close event: who began it

	MaskPolicy = 0x03 // subscribe: what becomes of messages for a session that is slow

	WhoPeer  = 1 // the client
	WhoGuest = 2 // this plugin
	WhoHost  = 3 // the host: a limit, a protocol error, shutdown
)

// Policies: what becomes of messages for a session whose peer does not keep up.
const (
	PolicyDefault = 0 // as the operator says
	PolicyClose   = 1 // they wait, and the session is closed when its out-queue is full
	PolicyDrop    = 2 // the newest are dropped
	PolicyLast    = 3 // of each topic the last one is kept and sent when there is room again
)

// A Level is the flags byte of a log command.
type Level uint8

// Levels.
const (
	LevelTrace Level = 1
	LevelDebug Level = 2
	LevelInfo  Level = 3
	LevelWarn  Level = 4
	LevelError Level = 5
)

// Metric types: the flags byte of a metric command. The sample is the IEEE 754
// double whose bits are in arg.
const (
	MetricCounter   = 1 // added; refused when negative
	MetricGauge     = 2 // replaces
	MetricHistogram = 3 // observed
)

// A Status says in refused and dropped events why a command had no effect.
type Status uint16

// Statuses.
const (
	StatusUnknownKind    Status = 1  // no such command in this version
	StatusNotGranted     Status = 2  // the command's feature was not granted
	StatusReserved       Status = 3  // a field or bit that must be zero is not
	StatusBadRange       Status = 4  // addr + len is not inside guest memory
	StatusBadFlags       Status = 5  // an opcode, RSV bit, level or type that is not allowed here
	StatusBadSequence    Status = 6  // something that does not belong here after what came before
	StatusBadText        Status = 7  // text, a close reason or a name that is not UTF-8
	StatusBadCode        Status = 8  // a close code or HTTP status that may not be sent
	StatusBadFields      Status = 9  // fields, ids or a name that do not parse, or a header that may not be set
	StatusUnknownSession Status = 10 // no such session: never was, is over, or is another instance's
	StatusClosing        Status = 11 // the close frame is already on its way; no data may follow it
	StatusDecided        Status = 12 // accept, refuse or hold of a session that is already open
	StatusTooLarge       Status = 13 // above the limit named in ABI.md for this command
	StatusQueueFull      Status = 14 // the out-queue was full and the policy says drop
	StatusQuota          Status = 15 // above the plugin's quota
	StatusUnknownRequest Status = 16 // no such HTTP request, or its answer is complete
	StatusBadValue       Status = 17 // a delay or a sample that is out of range
)

// Close codes that the host itself sends or reports, RFC 6455 section 7.4.1 and
// the IANA registry.
const (
	CloseNormal      = 1000
	CloseGoingAway   = 1001
	CloseProtocol    = 1002
	CloseUnsupported = 1003
	CloseNoStatus    = 1005 // only in events: the peer's close frame had no code
	CloseAbnormal    = 1006 // only in events: the connection ended without a close frame
	CloseBadData     = 1007
	ClosePolicy      = 1008
	CloseTooBig      = 1009
	CloseInternal    = 1011
	CloseTryAgain    = 1013
)

// Largest payloads, in bytes, where the layout does not bound them.
const (
	MaxControlPayload = 125      // RFC 6455 section 5.5: ping, pong
	MaxCloseReason    = 123      // the same, less the two bytes of the code
	MaxTopic          = 255      // a topic's name
	MaxLog            = 8 << 10  // a log line
	MaxMetricName     = 128      // a metric's name
	MaxFields         = 64 << 10 // fields of one command
	MaxSendMany       = 65536    // ids in one send to many
)

// Most of what one instance may have at a time, and a turn may take.
const (
	MaxTimers           = 131072   // armed
	MaxSubscriptions    = 256      // topics of one session, and of the instance itself
	MaxAllSubscriptions = 1048576  // of all its sessions together
	MaxTopicEvents      = 4096     // topic messages that wait for the instance itself
	MaxTopicBytes       = 16777216 // names and data of these, in bytes
	MaxCalls            = 4096     // calls of a turn, besides one for each of its events
	MaxRefused          = 64       // refusals told one by one in a turn
)

// Field names that are not headers or configuration keys. They begin with a
// colon, as in HTTP/2, so that they can never be mistaken for one.
const (
	FieldMethod      = ":method"      // connect, http request
	FieldScheme      = ":scheme"      // connect, http request: "http" or "https"
	FieldAuthority   = ":authority"   // connect, http request: the Host header
	FieldPath        = ":path"        // connect, http request: path and query as on the request line
	FieldRemote      = ":remote"      // connect, http request: "address:port" of the peer
	FieldTLSName     = ":tls-name"    // connect, http request: SNI name, only with TLS
	FieldProtocol    = ":protocol"    // connect: one field per offered subprotocol; accept: the one chosen
	FieldPlugin      = ":plugin"      // start: the plugin's name in the configuration
	FieldVersion     = ":version"     // start: SHA-256 of the module, hexadecimal
	FieldLane        = ":lane"        // start: this instance's number, from 0
	FieldLanes       = ":lanes"       // start: how many instances the plugin has
	FieldMaxMessage  = ":max-message" // start: largest message from a peer, bytes
	FieldHost        = ":host"        // start: the host's name and version
	FieldPort        = ":port"        // start: TCP port the host listens on
	FieldPredecessor = ":predecessor" // start: SHA-256 of the module whose state follows; only then
)
