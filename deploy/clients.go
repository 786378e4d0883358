package deploy

// Clients are the AWS calls that a deployment makes. Connect fills them from
// the SDK's configuration.
type Clients struct{} // filled in by the room's owner: one small interface a service
