//go:build !unix

package durable

const noWait = 0
