package model

// A Plugin is the contract between the server and its plugins: the hooks that
// a module may export and the protobuf messages that they exchange.
type Plugin struct {
	Position

	Title   string
	Doc     string
	Package string // Go package of the messages: pluginapi
	Major   int    // of the names that modules export: iam_v1_authorize
	Minor   int

	Hooks    []*Hook         // in the order of the root file
	Messages []*ProtoMessage // in source order
	Enums    []*ProtoEnum    // in source order
}

// A Hook is one function that a module may export.
type Hook struct {
	Position

	Name     string // GenerateAccessKey
	Summary  string // a sentence, with its full stop
	Request  *ProtoMessage
	Response *ProtoMessage
}

// A ProtoMessage is a set of fields, in ascending order of their numbers.
type ProtoMessage struct {
	Position

	Name   string
	Doc    string
	Fields []*ProtoField
}

// A ProtoField is one field of a message.
type ProtoField struct {
	Position

	Name      string // access_key_id
	Number    int
	Doc       string
	Kind      ProtoKind
	Repeated  bool
	Message   *ProtoMessage // for ProtoNested
	Enum      *ProtoEnum    // for ProtoEnumeration
	MaxLength *int          // most bytes of a string that a plugin answers
	MaxItems  *int          // most elements that a plugin answers
	Sensitive bool
}

// A ProtoEnum is a set of names for the numbers from 0.
type ProtoEnum struct {
	Position

	Name   string
	Doc    string
	Values []string
}

// ProtoKind is the form of a field.
type ProtoKind int

// The forms of fields. Floats, maps and oneofs are left out so that a codec
// stays small in every language.
const (
	ProtoString ProtoKind = iota
	ProtoBytes
	ProtoInt64
	ProtoBool
	ProtoEnumeration
	ProtoNested
)
