package rundir

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/relseal/relseal/canon"
	"github.com/relseal/relseal/cards"
)

// A Path is a chain of steps of which each needs the one before.
type Path struct {
	Steps    []string      `json:"steps"`
	Makespan canon.Decimal `json:"makespan"` // seconds that they took together
}

// critical returns the chain of needs that took longest: what bounds the run
// however many steps went on side by side. Steps that the record does not have,
// or that never ran, are on no chain; of equal chains the first by the card's
// order is taken.
func critical(card cards.Pipeline, steps []Step) *Path {
	took := map[string]int64{}
	for _, s := range steps {
		if us, ok := microseconds(s.Makespan); ok {
			took[s.ID] = us
		}
	}
	order, err := card.Order()
	if err != nil || len(took) == 0 {
		return nil
	}
	total, before := map[string]int64{}, map[string]string{}
	last := ""
	for _, s := range order {
		us, ran := took[s.ID]
		if !ran {
			continue
		}
		total[s.ID] = us
		for _, need := range s.Needs {
			if t, ok := total[need]; ok && us+t > total[s.ID] {
				total[s.ID], before[s.ID] = us+t, need
			}
		}
		if last == "" || total[s.ID] > total[last] {
			last = s.ID
		}
	}
	if last == "" {
		return nil // the steps of another card
	}
	var chain []string
	for id := last; id != ""; id = before[id] {
		chain = append(chain, id)
	}
	slices.Reverse(chain)
	return &Path{chain, seconds(total[last])}
}

// maxMicroseconds keeps the sum over a card's steps far from overflow: three years.
const maxMicroseconds = 1e14

func microseconds(d *canon.Decimal) (int64, bool) {
	if d == nil {
		return 0, false
	}
	r := new(big.Rat).Mul(d.Rat(), big.NewRat(1e6, 1))
	us := new(big.Int).Quo(r.Num(), r.Denom())
	if us.Sign() < 0 || us.Cmp(big.NewInt(maxMicroseconds)) > 0 {
		return 0, false
	}
	return us.Int64(), true
}

func seconds(us int64) canon.Decimal {
	d, err := canon.ImportDecimal(fmt.Sprintf("%d.%06d", us/1e6, us%1e6))
	if err != nil {
		panic(err) // at most 19 digits: always a decimal
	}
	return d
}
