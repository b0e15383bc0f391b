package capture

import (
	"math"
	"strings"

	"github.com/relseal/relseal/internal/lazyregexp"
)

// secretWords are in the names of variables that hold credentials.
var secretWords = []string{
	"TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "APIKEY", "API_KEY", "CREDENTIAL",
	"PRIVATE_KEY", "PRIVATEKEY", "ACCESS_KEY", "ACCESSKEY", "SIGNING_KEY", "ENCRYPTION_KEY", "MASTER_KEY", "AUTH_KEY", "DEPLOY_KEY",
	"SSH_KEY",
}

// secretName reports whether a variable's name looks like that of a credential.
// TOKENIZERS_PARALLELISM and its like count threads.
func secretName(name string) bool {
	name = strings.ReplaceAll(strings.ToUpper(name), "TOKENIZ", "")
	for _, word := range secretWords {
		if strings.Contains(name, word) {
			return true
		}
	}
	return strings.HasSuffix(name, "_PWD") || strings.HasSuffix(name, "_AUTH")
}

// secretForms are credentials that can be told by their form, wherever in a
// value they stand.
var secretForms = []struct {
	what string
	form *lazyregexp.Regexp
}{
	{"a private key", lazyregexp.New(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY|AGE-SECRET-KEY-1`)},
	{"a GitHub token", lazyregexp.New(`\bgh[opsur]_[A-Za-z0-9]{16}|\bgithub_pat_[A-Za-z0-9_]{16}`)},
	{"a GitLab token", lazyregexp.New(`\bgl(?:pat|dt|rt|cbt|ptt|soat|ft|agent|oas)-[A-Za-z0-9_-]{16}`)},
	{"an AWS access key", lazyregexp.New(`\b(?:AKIA|ASIA)[A-Z0-9]{12}`)},
	{"a Slack token", lazyregexp.New(`\bxox[a-z]-[A-Za-z0-9-]{8}|hooks\.slack\.com/services/`)},
	{"an API key", lazyregexp.New(`\bsk-(?:[a-z0-9]+-)*[A-Za-z0-9_]{16}|\b[rs]k_(?:live|test)_[A-Za-z0-9]{8}|\bAIza[A-Za-z0-9_-]{30}|\bSG\.[A-Za-z0-9_-]{16}`)},
	{"a registry token", lazyregexp.New(`\bnpm_[A-Za-z0-9]{30}|\bpypi-AgE[A-Za-z0-9_-]{16}|\bdckr_pat_[A-Za-z0-9_-]{16}|\bhf_[A-Za-z0-9]{30}`)},
	{"a JSON web token", lazyregexp.New(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.`)},
	{"an authorization header", lazyregexp.New(`(?i)\b(?:bearer|basic) +[A-Za-z0-9+/=._~-]{12}`)},
	{"a URL with a password", lazyregexp.New(`(?i)[a-z][a-z0-9+.-]*://[^/?#\s:@]*:[^/?#\s@]+@`)},
}

// secretValue says what kind of credential a value looks like, "" for none.
func secretValue(value string) string {
	for _, s := range secretForms {
		if s.form.MatchString(value) {
			return s.what
		}
	}
	if opaque(value) || base64Words(value) {
		return "a random key"
	}
	return ""
}

// minRandom is how long a text must be before it is taken for random: 32
// hexadecimal digits are 128 bits.
const minRandom = 32

// opaque reports whether value as a whole is letters and digits without order.
// Lower-case hexadecimal of 40 or 64 digits is a commit or a digest, which an
// environment may well name.
func opaque(value string) bool {
	kinds, other := classes(value)
	if len(value) < minRandom || other || kinds&digits == 0 || kinds&(lower|upper) == 0 {
		return false
	}
	isHash := (len(value) == 40 || len(value) == 64) && strings.Trim(value, "0123456789abcdef") == ""
	return !isHash && entropy(value) >= 3
}

// base64Words reports whether a part of value is long base64 of a random value.
// Unlike words and paths, that mixes upper case, lower case and digits, and
// changes between them all the time: at two of three steps, if it is random. What
// starts like a path or an option is passed over, for /nix/store is random too.
func base64Words(value string) bool {
	words := strings.FieldsFunc(value, func(r rune) bool {
		return r > 0x7f || !strings.ContainsRune("+/_-", r) && class(byte(r)) == 0
	})
	for _, w := range words {
		kinds, _ := classes(w)
		if w[0] != '/' && w[0] != '-' && len(w) >= minRandom && kinds == lower|upper|digits && entropy(w) >= 4 && changes(w)*5 >= len(w)*2 {
			return true
		}
	}
	return false
}

const (
	lower = 1 << iota
	upper
	digits
)

func class(b byte) int {
	switch {
	case 'a' <= b && b <= 'z':
		return lower
	case 'A' <= b && b <= 'Z':
		return upper
	case '0' <= b && b <= '9':
		return digits
	default:
		return 0
	}
}

// classes returns which classes of characters s has, and whether any are of none.
func classes(s string) (kinds int, other bool) {
	for i := range len(s) {
		kinds |= class(s[i])
		other = other || class(s[i]) == 0
	}
	return kinds, other
}

// changes counts the neighbours in s that are of different classes.
func changes(s string) (n int) {
	for i := 1; i < len(s); i++ {
		if class(s[i]) != class(s[i-1]) {
			n++
		}
	}
	return n
}

// entropy returns the bits for each byte of s that its frequencies tell (Shannon).
func entropy(s string) (bits float64) {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
