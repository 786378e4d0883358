package ingress

// SessionName is what API Gateway calls its sessions of integrations' roles.
const SessionName = "BackplaneAssumeRoleSession"
