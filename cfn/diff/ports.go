package diff

import (
	"strconv"
	"strings"

	"arc/cfn"
	"arc/cfn/diff/model"
	"arc/cfn/diff/values"
	"arc/cfn/registry"
)

// ports are what one rule of a security group lets in.
type ports struct {
	group    string // logical ID of the security group, or what names it
	protocol string // "tcp"; "-1" = all
	from, to string
}

// openPorts lists what a security group, or a rule of one, opens to every address.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ec2-securitygroup-ingress.html
func openPorts(m *model.App, id string, def cfn.ResourceDef) []ports {
	var rules []any
	group := id
	switch def.Type {
	case registry.EC2SecurityGroup:
		rules = values.List(def.Properties["SecurityGroupIngress"])
		if one, ok := def.Properties["SecurityGroupIngress"].(map[string]any); ok {
			rules = []any{one}
		}
	case registry.EC2SecurityGroupIngress:
		rules = []any{any(def.Properties)}
		if group = m.First(registry.EC2SecurityGroup, def.Properties["GroupId"], def.Properties["GroupName"]); group == "" {
			group = values.PlainText(def.Properties["GroupId"])
		}
	}
	var all []ports
	for _, v := range rules {
		rule, _ := v.(map[string]any)
		cidr, cidr6 := values.PlainText(rule["CidrIp"]), values.PlainText(rule["CidrIpv6"])
		if strings.HasSuffix(cidr, "/0") || strings.HasSuffix(cidr6, "/0") {
			all = append(all, ports{group, protocolOf(rule["IpProtocol"]), values.PlainText(rule["FromPort"]), values.PlainText(rule["ToPort"])})
		}
	}
	return all
}

// protocolOf is a protocol by its name.
// https://www.iana.org/assignments/protocol-numbers/protocol-numbers.xhtml
func protocolOf(v any) string {
	text := strings.ToLower(values.PlainText(v))
	if name, ok := map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}[text]; ok {
		return name
	}
	return text
}

// text says which ports are open.
func (p ports) text() string {
	protocol := ""
	if p.protocol != "tcp" {
		protocol = " of " + p.protocol
	}
	switch {
	case p.protocol == "-1":
		return " at every port"
	case p.protocol == "icmp" || p.protocol == "icmpv6":
		return " for " + p.protocol
	case p.from == "" && p.to == "":
		return protocol
	case p.from == p.to:
		return " at port " + p.from + protocol
	}
	return " at the ports " + p.from + " to " + p.to + protocol
}

// within reports whether all that p lets in is let in by q.
func (p ports) within(q ports) bool {
	if p.group != q.group {
		return false
	}
	if q.protocol == "-1" {
		return true
	}
	if p.protocol != q.protocol {
		return false
	}
	if p.from == q.from && p.to == q.to || q.from == "" && q.to == "" {
		return true
	}
	var at [4]int
	for i, text := range []string{q.from, p.from, p.to, q.to} {
		n, err := strconv.Atoi(text)
		if err != nil {
			return false
		}
		at[i] = n
	}
	return at[0] <= at[1] && at[2] <= at[3]
}

// opened reports whether what a fact says is open was open before, by whatever rule of
// the same group.
func opened(before map[string]fact, now fact) bool {
	for _, f := range before {
		if f.ports != nil && now.ports.within(*f.ports) && f.covers(now) {
			return true
		}
	}
	return false
}
