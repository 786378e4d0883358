package cfn

// proxyTimeout is how long the other server has to answer, in milliseconds:
// API Gateway's longest.
const proxyTimeout = 30_000

// proxy compiles @proxy: what no route takes goes to another server.
func (c *compiler) proxy(body *openAPI) {
	if c.app.Proxy == nil {
		return
	}
	to := map[string]string{
		"testing": c.app.Proxy.Testing, "staging": c.app.Proxy.Staging, "production": c.app.Proxy.Production,
	}[c.opts.Environment()]
	body.Paths["/$default"] = map[string]operation{AnyMethod: {
		Default: true,
		Integration: integration{
			Type: "http_proxy", HTTPMethod: "ANY", URI: to, PayloadFormatVersion: "1.0",
			ConnectionType: "INTERNET", TimeoutInMillis: proxyTimeout,
		},
	}}
}
