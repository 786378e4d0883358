package sam

import (
	"regexp"
	"slices"
	"strings"

	"arc/cfn/registry"
)

// httpDomain gives an HTTP API a name of its own.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapidomainconfiguration.html
func (x *expander) httpDomain(p, passed object) {
	d := asObject(x.known(p["Domain"]))
	if d == nil {
		return
	}
	x.checkKeys("Domain", d, "DomainName", "CertificateArn", "EndpointConfiguration", "OwnershipVerificationCertificateArn", "SecurityPolicy",
		"MutualTlsAuthentication", "BasePath", "Route53")
	if d["DomainName"] == nil || d["CertificateArn"] == nil {
		x.fail(x.property("Domain"), "write DomainName and CertificateArn", "a domain needs both")
		return
	}
	if e := d["EndpointConfiguration"]; e != nil && e != any("REGIONAL") {
		x.fail(x.property("Domain.EndpointConfiguration"), "write REGIONAL", "HTTP APIs have regional domains only")
	}
	id := "ApiGatewayDomainNameV2" + hashOf(d["DomainName"])
	config := object{"CertificateArn": d["CertificateArn"], "EndpointType": "REGIONAL"}
	for _, key := range []string{"OwnershipVerificationCertificateArn", "SecurityPolicy"} {
		if given(d[key]) {
			config[key] = d[key]
		}
	}
	domain := object{"DomainName": d["DomainName"], "DomainNameConfigurations": []any{config}, "Tags": object{"httpapi:createdBy": "SAM"}}
	if tls := asObject(d["MutualTlsAuthentication"]); len(tls) > 0 {
		x.checkKeys("Domain.MutualTlsAuthentication", tls, "TruststoreUri", "TruststoreVersion")
		both := object{}
		for key, v := range tls {
			if given(v) {
				both[key] = v
			}
		}
		domain["MutualTlsAuthentication"] = both
	}
	x.emit(id, registry.ApiGatewayV2DomainName, domain, passed)
	paths := asList(d["BasePath"])
	if text := asText(d["BasePath"]); text != "" {
		paths = []any{text}
	}
	if len(paths) == 0 {
		x.emit(x.id+"ApiMapping", registry.ApiGatewayV2ApiMapping, object{"DomainName": ref(id), "ApiId": ref(x.id), "Stage": ref(x.id + ".Stage")}, passed)
	}
	for _, v := range paths {
		path := asText(v)
		if path == "" || regexp.MustCompile(`[^0-9a-zA-Z/_-]`).MatchString(path) {
			x.fail(x.property("Domain.BasePath"), "write letters, digits, -, _ and /", "%v is no path", v)
			continue
		}
		mapping := x.id + strings.NewReplacer("-", "", "_", "", "/", "").Replace(path) + "ApiMapping"
		x.emit(mapping, registry.ApiGatewayV2ApiMapping, object{
			"DomainName": ref(id), "ApiId": ref(x.id), "Stage": ref(x.id + ".Stage"), "ApiMappingKey": strings.Trim(path, "/"),
		}, passed)
	}
	x.records(d, passed, func(object) object {
		return object{"HostedZoneId": getAtt(id, "RegionalHostedZoneId"), "DNSName": getAtt(id, "RegionalDomainName")}
	})
}

// records adds the names of a domain to a hosted zone. APIs of one zone share a
// group of records.
func (x *expander) records(d, passed object, alias func(zone object) object) {
	zone := asObject(d["Route53"])
	if zone == nil {
		return
	}
	of := zone["HostedZoneId"]
	if !given(of) {
		of = zone["HostedZoneName"]
	}
	if !given(of) {
		x.fail(x.property("Domain.Route53"), "write HostedZoneId or HostedZoneName", "the zone is not named")
		return
	}
	id := "RecordSetGroup" + hashOf(of)
	group := x.recordSets[id]
	if group == nil {
		group = object{}
		if zone["HostedZoneId"] != nil {
			group["HostedZoneId"] = zone["HostedZoneId"]
		} else {
			group["HostedZoneName"] = zone["HostedZoneName"]
		}
		x.recordSets[id] = group
	}
	types := []string{"A"}
	if zone["IpV6"] == true {
		types = append(types, "AAAA")
	}
	list := slices.Clone(asList(group["RecordSets"]))
	for _, typ := range types {
		to := alias(zone)
		set(to, "EvaluateTargetHealth", zone["EvaluateTargetHealth"])
		record := object{"Name": d["DomainName"], "Type": typ, "AliasTarget": to}
		pass(record, zone, "Region", "SetIdentifier")
		list = append(list, record)
	}
	group["RecordSets"] = list
	x.emit(id, registry.Route53RecordSetGroup, group, passed)
}
