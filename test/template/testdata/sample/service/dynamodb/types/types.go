// Package types stands for the SDK's package of that name.
package types

type (
	ConditionCheck struct{}
	Update         struct{}
)
