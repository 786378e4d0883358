package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// This file knows the words that people's fingers know from Architect and other
// tools: each says what to write instead.

// otherCommands are commands that arc has under another name, or needs none for.
var otherCommands = map[string]string{
	"lint":      "arc check tells every mistake of the project",
	"validate":  "arc check tells every mistake of the project",
	"hydrate":   "there is nothing to install: zips are packed from what is in the project, and arc check says what is missing",
	"docs":      "arc help COMMAND has every flag; the folder docs/ of arc's source has the rest",
	"start":     "arc sandbox runs the app on this machine",
	"dev":       "arc sandbox runs the app on this machine",
	"local":     "arc sandbox runs the app on this machine",
	"synth":     "arc package prints the CloudFormation template",
	"build":     "arc package prints the CloudFormation template, and arc deploy packs what it deploys",
	"remove":    "arc destroy deletes a stack of the app",
	"rm":        "arc destroy deletes a stack of the app",
	"rollback":  "CloudFormation takes a failed deploy back by itself; for an older version, check it out and run arc deploy",
	"new":       "arc init FOLDER writes a new app",
	"ls":        "arc inventory lists the app's functions, tables and queues",
	"preview":   "arc diff shows what the next deploy would change",
	"plan":      "arc diff -o release.arcplan seals what a deploy would change",
	"apply":     "arc deploy release.arcplan deploys a plan",
	"bootstrap": "there is nothing to set up: the first arc deploy makes its bucket",
}

// otherFlags are flags that arc has under another name, or needs none for, by
// command; "" is every command.
var otherFlags = map[string]map[string]string{
	"deploy": {
		"no-hydrate": "leave it out: nothing is installed or copied before a deploy",
		"guided":     "leave it out: nothing is asked",
		"stack-name": "--name NAME deploys to a further stack",
		"region":     "set AWS_REGION, or @aws region in the manifest",
		"profile":    "set AWS_PROFILE, or @aws profile in the manifest",
	},
	"sandbox": {
		"host":             "leave it out: the sandbox listens on 127.0.0.1 only",
		"no-hydrate":       "leave it out: nothing is installed or copied before the start",
		"disable-symlinks": "leave it out: no links are made in the project",
	},
	"init": {
		"static": "write @static into the manifest",
	},
	"": {
		"verbose": "leave it out: what matters is always said",
		"debug":   "leave it out: what matters is always said",
		"yes":     "leave it out: nothing is asked",
		"force":   "only arc destroy takes --force",
	},
}

// otherFlag says what to write instead of a flag that the command does not have.
func otherFlag(ctx *cli.Context, name string) string {
	command := ""
	if ctx.Command != nil {
		command = ctx.Command.Name
	}
	if say := otherFlags[command][name]; say != "" {
		return say
	}
	return otherFlags[""][name]
}

// wants is a flag with what it takes, by the line of the command's help that
// shows it: "--port PORT", or "-p PORT" for who typed it so; "" when no line does.
func wants(ctx *cli.Context, name string) string {
	if ctx.Command == nil {
		return ""
	}
	for line := range strings.Lines(ctx.Command.Description) {
		found := false
		for _, word := range strings.Fields(line) {
			word = strings.Trim(word, "[],")
			switch {
			case word == dashes(name):
				found = true
			case found && !strings.HasPrefix(word, "-"):
				if word != "" && word == strings.ToUpper(word) {
					return dashes(name) + " " + word
				}
				found = false
			}
		}
	}
	return ""
}
