package deploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// NestedTemplates gives the templates of a stack's nested stacks by logical
// ID, as they were sent. Deeper ones have the path in front: "A/B".
func (c Clients) NestedTemplates(ctx context.Context, stackID string) (map[string][]byte, error) {
	resources, err := c.listResources(ctx, stackID)
	if err != nil {
		return nil, err
	}
	templates := map[string][]byte{}
	for _, r := range resources {
		if aws.ToString(r.ResourceType) != "AWS::CloudFormation::Stack" || aws.ToString(r.PhysicalResourceId) == "" {
			continue
		}
		name, id := aws.ToString(r.LogicalResourceId), aws.ToString(r.PhysicalResourceId)
		if templates[name], err = c.readTemplate(ctx, id); err != nil {
			return nil, err
		}
		below, err := c.NestedTemplates(ctx, id)
		if err != nil {
			return nil, err
		}
		for path, template := range below {
			templates[name+"/"+path] = template
		}
	}
	return templates, nil
}
