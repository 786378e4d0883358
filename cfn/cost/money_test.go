package cost

import "testing"

func TestUSD(t *testing.T) {
	for x, want := range map[float64]string{
		0: "$0.00", 1: "$1.00", 0.4: "$0.40", 0.125: "$0.125", 0.1666675: "$0.1667", 0.99996: "$1.00", 0.9999: "$0.9999",
		0.00001: "<$0.0001", -0.00001: "-<$0.0001", 16.425: "$16.43", -2.5: "-$2.50", 1234567.891: "$1,234,567.89", 999.999: "$1,000.00",
	} {
		if got := USD(x); got != want {
			t.Errorf("USD(%v) = %s, want %s", x, got, want)
		}
	}
	for x, want := range map[float64]string{0: "$0.00", 1: "+$1.00", -1: "-$1.00"} {
		if got := Signed(x); got != want {
			t.Errorf("Signed(%v) = %s, want %s", x, got, want)
		}
	}
	for n, want := range map[float64]string{43_800: "43,800", 1.0 / 3: "0.3", 365.0 / 12: "30.4", 730: "730", 3041.6666: "3,042"} {
		if got := count(n); got != want {
			t.Errorf("count(%v) = %s, want %s", n, got, want)
		}
	}
}
