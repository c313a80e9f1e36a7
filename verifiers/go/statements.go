package main

// Statements: a header, one line of JSON that has one meaning, and what stands below it. Their shapes
// are in statements.json, the schemas of packages/protocol.

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

//go:embed statements.json
var statementsJSON []byte

type schema struct {
	Type       string
	Properties map[string]*schema
	Required   []string
	Items      *schema
	MinItems   int
	MaxItems   *int
	MaxLength  *int
	Pattern    string
	Enum       []string
	Const      *string
	pattern    *regexp.Regexp
}

var tables struct {
	Kinds    []string
	Decimals map[string]int
	Shapes   map[string]*schema
}

func init() {
	if err := json.Unmarshal(statementsJSON, &tables); err != nil {
		panic(err)
	}
	for _, shape := range tables.Shapes {
		shape.compile()
	}
}

func (s *schema) compile() {
	if s.Pattern != "" {
		s.pattern = regexp.MustCompile(s.Pattern)
	}
	for _, property := range s.Properties {
		property.compile()
	}
	if s.Items != nil {
		s.Items.compile()
	}
}

func (s *schema) check(value any) {
	switch s.Type {
	case "object":
		fields, ok := value.(object)
		must(ok, "JSON: not an object")
		for _, name := range s.Required {
			must(fields[name] != nil, "JSON: without %s", name)
		}
		for name, field := range fields {
			must(s.Properties[name] != nil, "JSON: an unknown field %q", name)
			s.Properties[name].check(field)
		}
	case "array":
		items, ok := value.([]any)
		must(ok && len(items) >= s.MinItems, "JSON: not a list")
		must(s.MaxItems == nil || len(items) <= *s.MaxItems, "JSON: too long a list")
		for _, item := range items {
			s.Items.check(item)
		}
	case "integer":
		n, ok := value.(int64)
		must(ok && n >= 0 && n < 1<<53, "JSON: not a counter")
	case "boolean":
		_, ok := value.(bool)
		must(ok, "JSON: not a boolean")
	default:
		text, ok := value.(string)
		must(ok, "JSON: not a string")
		must(s.pattern == nil || s.pattern.MatchString(text), "JSON: a string %.40q", text)
		if strings.HasSuffix(s.Pattern, "Z$") {
			ms(text) // a time: it has to exist
		}
		must(s.MaxLength == nil || len(utf16.Encode([]rune(text))) <= *s.MaxLength, "JSON: too long")
		must(s.Enum == nil || slices.Contains(s.Enum, text), "JSON: a string %.40q", text)
		must(s.Const == nil || *s.Const == text, "JSON: a string %.40q", text)
	}
}

type object map[string]any

func (o object) str(name string) string { text, _ := o[name].(string); return text }
func (o object) num(name string) int64  { n, _ := o[name].(int64); return n }
func (o object) obj(name string) object { inner, _ := o[name].(object); return inner }
func (o object) list(name string) []any { items, _ := o[name].([]any); return items }
func (o object) objs(name string) []object {
	found := []object{}
	for _, item := range o.list(name) {
		found = append(found, item.(object))
	}
	return found
}

var (
	counter = regexp.MustCompile(`^(?:0|[1-9][0-9]*)$`)
	// Takes escapes as they come, so that a backslash that is itself escaped begins nothing.
	escapes = regexp.MustCompile(`\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)`)
)

const longestLoneSurrogate = len(`\ud800`)

// parseJSON reads what has one meaning: no key twice, no number but counters, whole surrogate pairs.
func parseJSON(text string) any {
	for _, escape := range escapes.FindAllString(text, -1) {
		must(len(escape) != longestLoneSurrogate, "JSON: half of a surrogate pair")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	value := parseValue(decoder, 0)
	_, err := decoder.Token()
	must(err == io.EOF, "JSON: something follows it")
	return value
}

const deepest = 100

func parseValue(decoder *json.Decoder, depth int) any {
	must(depth < deepest, "JSON: too deep")
	token, err := decoder.Token()
	must(err == nil, "JSON: %v", err)
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return parseObject(decoder, depth+1)
		}
		items := []any{}
		for decoder.More() {
			items = append(items, parseValue(decoder, depth+1))
		}
		_, err = decoder.Token()
		must(token == '[' && err == nil, "JSON: %v", err)
		return items
	case json.Number:
		n, err := strconv.ParseInt(token.String(), 10, 64)
		must(err == nil && counter.MatchString(token.String()), "JSON: a number %.40q", token)
		return n
	}
	return token
}

func parseObject(decoder *json.Decoder, depth int) object {
	fields := object{}
	for decoder.More() {
		name, _ := parseValue(decoder, depth).(string)
		_, known := fields[name]
		must(!known, "JSON: %q twice", name)
		fields[name] = parseValue(decoder, depth)
	}
	_, err := decoder.Token()
	must(err == nil, "JSON: %v", err)
	return fields
}

// statement gives the body of a statement of this log and kind, and what stands below it.
func statement(text, origin, kind, shape string) (object, string) {
	parts := strings.SplitN(text, "\n", 3)
	must(len(parts) == 3, "statement: malformed")
	must(parts[0] == fmt.Sprintf("%s/%s/v1", origin, kind), "a %s of %s is expected, not %q", kind, origin, parts[0])
	must(tables.Shapes[shape] != nil, "statement: a %s", shape)
	body := parseJSON(parts[1])
	tables.Shapes[shape].check(body)
	return body.(object), parts[2]
}

func kindOf(text string) string {
	head, _, _ := strings.Cut(text, "\n")
	parts := strings.Split(head, "/")
	must(len(parts) > 2, "statement: its header")
	return parts[len(parts)-2]
}

func ms(text string) int64 {
	at, err := time.Parse("2006-01-02T15:04:05.000Z", text)
	must(err == nil, "a time that does not exist: %q", text)
	return at.UnixMilli()
}
