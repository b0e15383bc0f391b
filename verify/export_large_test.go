package verify

// SetLarge makes files from n bytes on large ones, until what it returns is called.
func SetLarge(n int64) (restore func()) {
	before := large
	large = n
	return func() { large = before }
}
