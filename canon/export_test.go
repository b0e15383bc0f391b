package canon

var (
	Recognise = recognise
	Arrange   = arrange
)

// The slow ways go token by token through jsontext alone and take no short cut.
// They are what the fast ones are held to.
var (
	SlowCheck     = compare
	SlowMarshal   = marshalPlainly
	SlowUnmarshal = UnmarshalPlainly
)
