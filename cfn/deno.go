package cfn

// denoRuntime is what a manifest calls Deno. Lambda does not know it: it runs
// from a layer, on a bare runtime.
const denoRuntime = "deno"

// denoLayers are the versions of the layer that Architect uses, by region. It
// belongs to a third party, which is why its use is a warning.
var denoLayers = map[string]string{
	"ap-northeast-1": "16", "ap-northeast-2": "15", "ap-northeast-3": "15", "ap-south-1": "16",
	"ap-southeast-1": "16", "ap-southeast-2": "16", "ca-central-1": "79", "eu-central-1": "16",
	"eu-north-1": "15", "eu-west-1": "16", "eu-west-2": "16", "eu-west-3": "15", "sa-east-1": "15",
	"us-east-1": "42", "us-east-2": "33", "us-west-1": "33", "us-west-2": "36",
}

const denoLayerAccount = "455488262213"

// runtime is what Lambda is told to run a function with, and the layers and
// handler that takes. A function of Deno that names layers brings its own.
func (c *compiler) runtime(f *lambdaFunction) (runtime, handler string, layers []string) {
	cfg := f.Config
	if cfg.Runtime != denoRuntime || c.opts.Stage == stageTesting {
		return cfg.Runtime, cfg.Handler, cfg.Layers
	}
	layers = cfg.Layers
	if len(layers) == 0 {
		region := c.app.AWS.Region
		version, ok := denoLayers[region]
		if !ok {
			c.errorf(f.Pos, "deno-layer", "name a layer that holds Deno with layers in config.arc, or choose another region",
				"no layer of Deno is known in %s", region)
		}
		c.warnf(f.Pos, "deno-layer", "name a layer of your own with layers in config.arc",
			"%s runs Deno from a layer of a third party (account %s)", f.Name, denoLayerAccount)
		layers = []string{"arn:aws:lambda:" + region + ":" + denoLayerAccount + ":layer:DenoRuntime:" + version}
	}
	return "provided.al2023", "index.handler", layers
}
