package cfn

import (
	"arc/manifest"

	"github.com/awslabs/goformation/v7/cloudformation/lambda"
)

// streamBatch is how many changes a function gets at most at a time.
const streamBatch = 10

// streams compiles @tables-streams: for each a function that is given the
// changes of a table, from the oldest that the stream still has.
func (c *compiler) streams() {
	items := make([]naming, len(c.app.Streams))
	for i, s := range c.app.Streams {
		items[i] = naming{base: logicalName(s.Name), key: s.Name, pos: s.Pos}
	}
	for i, name := range c.names("tables-streams", items) {
		s := c.app.Streams[i]
		stream := GetAtt(c.tableIDs[s.Table], "StreamArn")
		f := c.function(name+"TableStreamLambda", s.Function)
		f.needs = append(f.needs, right{
			actions:   []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
			resources: []string{stream},
		}, right{
			// ListStreams is asked for beside the stream's own ARN, and can be
			// granted for the table's streams only as a whole.
			actions:   []string{"dynamodb:ListStreams"},
			resources: []string{Sub("${" + c.tableIDs[s.Table] + ".Arn}/stream/*")},
		})
		c.place(boundPart, f.id, c.add(name+"TableStreamEvent", s.Pos, &lambda.EventSourceMapping{
			BatchSize:        new(streamBatch),
			EventSourceArn:   new(stream),
			FunctionName:     f.arn(),
			StartingPosition: new("TRIM_HORIZON"),
		}))
	}
}

// hasStream reports whether a table's stream is on: it says so, or a function
// reads it.
func (c *compiler) hasStream(t manifest.Table) bool {
	for _, s := range c.app.Streams {
		if s.Table == t.Name {
			return true
		}
	}
	return t.Stream
}
