package cfn

import "flag"

// update rewrites the goldens of this package: go test ./cfn -update, then
// read the difference.
var update = flag.Bool("update", false, "rewrite goldens")
