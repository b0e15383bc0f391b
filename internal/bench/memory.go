package bench

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// peakMemory runs f and returns the most memory that Go's runtime held from the
// system meanwhile, in bytes. It looks every other millisecond.
func peakMemory(f func() error) (int64, error) {
	debug.FreeOSMemory()
	peak, done, stopped := held(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
				peak = max(peak, held())
			}
		}
	}()
	err := f()
	close(done)
	<-stopped
	return max(peak, held()), err
}

// held is the memory that is mapped and was not given back.
func held() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}
