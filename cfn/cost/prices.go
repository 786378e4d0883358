package cost

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// item is something that AWS has a price for.
type item string

// The items that estimates are made of, beside those of flat prices, which the
// descriptions of types name.
const (
	lambdaRequest          item = "lambda-request"
	lambdaX86              item = "lambda-x86"
	lambdaArm              item = "lambda-arm"
	lambdaStorage          item = "lambda-storage"
	provisionedX86         item = "provisioned-x86"
	provisionedArm         item = "provisioned-arm"
	provisionedDurationX86 item = "provisioned-duration-x86"
	provisionedDurationArm item = "provisioned-duration-arm"
	httpAPI                item = "http-api"
	restAPI                item = "rest-api"
	restCache              item = "rest-cache-half-gb"
	websocketMessage       item = "websocket-message"
	websocketMinute        item = "websocket-minute"
	sqsRequest             item = "sqs-request"
	sqsFIFORequest         item = "sqs-fifo-request"
	snsPublish             item = "sns-publish"
	scheduler              item = "scheduler"
	dynamoWrite            item = "dynamodb-write"
	dynamoRead             item = "dynamodb-read"
	dynamoWriteCapacity    item = "dynamodb-write-capacity"
	dynamoReadCapacity     item = "dynamodb-read-capacity"
	secret                 item = "secret"
	parameterAdvanced      item = "parameter-advanced"
	endpoint               item = "endpoint"
	applicationBalancer    item = "application-load-balancer"
	networkBalancer        item = "network-load-balancer"
	alarm                  item = "alarm"
	alarmHighResolution    item = "alarm-high-resolution"
	wafACL                 item = "waf-acl"
	wafRule                item = "waf-rule"
	kinesisShard           item = "kinesis-shard"
	kinesisOnDemand        item = "kinesis-on-demand"
)

// The table is read when the first estimate is made.
//
//go:embed prices.txt
var pricesText string

const (
	base   = "us-east-1" // the region that has every item
	global = "global"    // for items that cost the same everywhere
)

// price is a line of the table.
type price struct {
	region string
	item   item
	usd    float64 // for one unit
	unit   string  // million, GB-second, hour or month
	date   string  // the day on which it was seen, 2026-01-31
	source string  // where
}

// parsePrices reads a table of prices.
func parsePrices(text string) ([]price, error) {
	var out []price
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 6 {
			return nil, fmt.Errorf("prices.txt:%d: write region, item, price, unit, date and source", i+1)
		}
		usd, err := strconv.ParseFloat(f[2], 64)
		if err != nil || usd <= 0 {
			return nil, fmt.Errorf("prices.txt:%d: %s is not a price", i+1, f[2])
		}
		out = append(out, price{region: f[0], item: item(f[1]), usd: usd, unit: f[3], date: f[4], source: f[5]})
	}
	return out, nil
}

// priceList answers for one region, and notes what it was asked for.
type priceList struct {
	region   string
	prices   map[item]price
	borrowed []string // items that are priced as in another region
	from, to string   // the dates of what was asked for
}

func newPriceList(region string) *priceList {
	l := &priceList{region: region, prices: map[item]price{}}
	all, _ := parsePrices(pricesText)                     // it is part of the program, and a test reads it
	for _, from := range []string{base, global, region} { // the last has the say
		for _, p := range all {
			if p.region == from {
				l.prices[p.item] = p
			}
		}
	}
	return l
}

// of is the price of one unit of an item.
func (l *priceList) of(what item) float64 {
	p := l.prices[what]
	if p.region != l.region && p.region != global && !slices.Contains(l.borrowed, string(what)) {
		l.borrowed = append(l.borrowed, string(what))
	}
	if l.from == "" || p.date < l.from {
		l.from = p.date
	}
	l.to = max(l.to, p.date)
	return p.usd
}
