package cfn

// custom makes the functions that plugins set by themselves, with the logical ID
// that Architect gives them. What triggers one is the plugin's own.
func (c *compiler) custom() {
	items := make([]naming, len(c.app.Custom))
	for i, custom := range c.app.Custom {
		items[i] = naming{base: logicalName(custom.Name), key: custom.Name, pos: custom.Pos}
	}
	for i, name := range c.names("customLambdas", items) {
		c.function(name+"CustomLambda", c.app.Custom[i].Function)
	}
}
