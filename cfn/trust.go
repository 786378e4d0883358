package cfn

// ArtifactKey is the key of an object of the stack in the artifact bucket.
// Deployments differ by who may start them: whoever may open a pull request
// (preview), whoever may push to the branch (staging), whoever approves
// production. What one of them writes into the bucket no other one can write
// over: each stage has a folder of its own there.
func (o Options) ArtifactKey(name string) string { return o.Stage + "/" + name }
