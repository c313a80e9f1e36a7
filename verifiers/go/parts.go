package main

// A bank's statement that is longer than an entry comes in parts: they stand in the log one behind the
// other, each naming the one before, and nothing else stands between them.

import "fmt"

const mostParts = 100

// partial is the statement of which parts are still to come.
type partial struct {
	taken, of    int64
	about, above string // what it is of, and the hash of the part before
}

func (p *partial) follow(e entry) {
	if e.kind != "bank-statement" {
		must(p.taken == 0, "a bank's statement goes on here")
		return
	}
	number, of, above := int64(1), int64(1), ""
	if part := e.said.obj("part"); part != nil {
		number, of, above = part.num("number"), part.num("of"), part.str("prev")
	}
	x, window := e.said, e.said.obj("window")
	said := fmt.Sprint(x.str("bank"), " ", x.str("reference"), " ", x.str("digest"), " ",
		window.str("corridor"), " ", window["number"], " ", window["attempt"])
	must(number == p.taken+1 && number <= of && of <= mostParts && above == p.above, "a statement's part in another place")
	must(p.taken == 0 || of == p.of && said == p.about, "a part of another statement")
	if number == of {
		*p = partial{}
		return
	}
	*p = partial{taken: number, of: of, about: said, above: hash64(parseNote(e.inner).text)}
}
