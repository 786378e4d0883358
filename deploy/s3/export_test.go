package s3

// IsHostLabel is for tests.
var IsHostLabel = isHostLabel
