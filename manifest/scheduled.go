package manifest

import "arc/manifest/syntax"

// Schedule is one line of @scheduled.
type Schedule struct {
	Name       string
	Expression string // "rate(1 day)" or "cron(0 6 * * ? *)", in AWS's form
	Timezone   string // IANA name; "" = UTC
	Function   *Function
	Pos        syntax.Pos
}
