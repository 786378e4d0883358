package manifest

// Retirement are the days, as 2006-01-02, from which AWS does less and less for
// a runtime.
type Retirement struct {
	Deprecated string // no more fixes and support; the functions run on
	NoCreate   string // a new function with it is refused
	NoUpdate   string // new code and settings of a function with it are refused
}

// retirements is the table of
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, as it stood
// in October 2026. AWS moves the last two columns now and then, always to a
// later day. A runtime that is not in it has no day yet.
var retirements = map[string]Retirement{
	"nodejs24.x":      {"2028-04-30", "2028-06-01", "2028-07-01"},
	"nodejs22.x":      {"2027-04-30", "2027-06-01", "2027-07-01"},
	"nodejs20.x":      {"2026-04-30", "2027-07-29", "2027-08-31"},
	"nodejs18.x":      {"2025-09-01", "2027-07-29", "2027-08-31"},
	"nodejs16.x":      {"2024-06-12", "2027-07-29", "2027-08-31"},
	"nodejs14.x":      {"2023-12-04", "2024-01-09", "2027-08-31"},
	"nodejs12.x":      {"2023-03-31", "2023-03-31", "2023-04-30"},
	"nodejs10.x":      {"2021-07-30", "2021-07-30", "2022-02-14"},
	"nodejs8.10":      {"2020-03-06", "2020-02-04", "2020-03-06"},
	"nodejs6.10":      {"2019-08-12", "2019-07-12", "2019-08-12"},
	"nodejs4.3":       {"2020-03-05", "2020-02-03", "2020-03-05"},
	"nodejs4.3-edge":  {"2020-03-05", "2019-03-31", "2019-04-30"},
	"python3.14":      {"2029-06-30", "2029-07-31", "2029-08-31"},
	"python3.13":      {"2029-06-30", "2029-07-31", "2029-08-31"},
	"python3.12":      {"2028-10-31", "2028-11-30", "2029-01-10"},
	"python3.11":      {"2027-06-30", "2027-07-29", "2027-08-31"},
	"python3.10":      {"2026-10-31", "2027-07-29", "2027-08-31"},
	"python3.9":       {"2025-12-15", "2027-07-29", "2027-08-31"},
	"python3.8":       {"2024-10-14", "2027-07-29", "2027-08-31"},
	"python3.7":       {"2023-12-04", "2024-01-09", "2027-08-31"},
	"python3.6":       {"2022-07-18", "2022-07-18", "2022-08-29"},
	"python2.7":       {"2021-07-15", "2022-05-30", "2022-05-30"},
	"ruby3.4":         {"2028-03-31", "2028-04-30", "2028-05-31"},
	"ruby3.3":         {"2027-03-31", "2027-07-29", "2027-08-31"},
	"ruby3.2":         {"2026-03-31", "2027-07-29", "2027-08-31"},
	"ruby2.7":         {"2023-12-07", "2024-01-09", "2027-08-31"},
	"ruby2.5":         {"2021-07-30", "2021-07-30", "2022-03-31"},
	"java21":          {"2029-06-30", "2029-07-31", "2029-08-31"},
	"java17":          {"2027-06-30", "2027-07-29", "2027-08-31"},
	"java11":          {"2027-06-30", "2027-07-29", "2027-08-31"},
	"java8.al2":       {"2027-06-30", "2027-07-29", "2027-08-31"},
	"java8":           {"2024-01-08", "2024-02-08", "2027-08-31"},
	"dotnet10":        {"2028-11-14", "2028-12-14", "2029-01-15"},
	"dotnet8":         {"2026-11-10", "2027-07-29", "2027-08-31"},
	"dotnet6":         {"2024-12-20", "2027-07-29", "2027-08-31"},
	"dotnetcore3.1":   {"2023-04-03", "2023-04-03", "2023-05-03"},
	"dotnetcore2.1":   {"2022-01-05", "2022-01-05", "2022-04-13"},
	"dotnetcore2.0":   {"2019-05-30", "2019-04-30", "2019-05-30"},
	"dotnetcore1.0":   {"2019-06-27", "2019-06-27", "2019-07-30"},
	"provided.al2023": {"2029-06-30", "2029-07-31", "2029-08-31"},
	"provided.al2":    {"2026-07-31", "2027-07-29", "2027-08-31"},
	"provided":        {"2024-01-08", "2024-02-08", "2027-08-31"},
}

// Refused says why AWS would refuse, on a day (2006-01-02), to create or to
// update a function with this runtime; "" when it would not.
func Refused(runtime, today string, create bool) string {
	r, known := retirements[runtime]
	switch {
	case !known:
	case create && r.NoCreate <= today:
		return "AWS has taken no new functions with the runtime " + runtime + " since " + r.NoCreate
	case r.NoUpdate <= today:
		return "AWS has taken no updates of functions with the runtime " + runtime + " since " + r.NoUpdate
	}
	return ""
}

// Retired says that AWS has retired a runtime, and what follows when; ""
// when it has not.
func Retired(runtime, today string) string {
	r, known := retirements[runtime]
	if !known || today < r.Deprecated {
		return ""
	}
	when := func(what, day string) string {
		if day <= today {
			return "takes no " + what + " since " + day
		}
		return "takes no " + what + " from " + day + " on"
	}
	return "AWS has retired the runtime " + runtime + " on " + r.Deprecated + "; it " +
		when("new functions", r.NoCreate) + ", and " + when("updates", r.NoUpdate)
}

// successor is the runtime that takes the place of a retired one.
func successor(runtime string) string {
	for _, f := range runtimeFamilies {
		for _, list := range [][]string{f.versions, f.retired} {
			for _, name := range list {
				if name == runtime {
					return f.versions[0]
				}
			}
		}
	}
	return DefaultRuntime
}
