package manifest

import "arc/manifest/syntax"

// Table is one map of @tables with the indexes of @tables-indexes.
type Table struct {
	Name         string
	PartitionKey Key
	SortKey      *Key
	TTL          string // attribute; "" = none
	Stream       bool   // an item stream is on, for whichever functions read it
	Encrypt      bool
	KMSKey       string // id or ARN; "" = the AWS-owned key
	PITR         bool
	Indexes      []Index
	Pos          syntax.Pos
}

// Key is one key attribute.
type Key struct {
	Name string
	Type string // "String" or "Number"
	Pos  syntax.Pos
}
