package manifest

import "arc/manifest/syntax"

// Index is one global secondary index.
type Index struct {
	Name         string // resolved; never empty
	PartitionKey Key
	SortKey      *Key
	Projection   string   // "ALL", "KEYS_ONLY" or "INCLUDE"
	Attributes   []string // INCLUDE only
	Pos          syntax.Pos
}
