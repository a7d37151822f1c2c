package mototest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestOneServerServesAllTablesOfAProcess(t *testing.T) {
	endpoint := Start(t)
	if again := Start(t); again != endpoint {
		t.Fatalf("the second Start gave %s, the first %s", again, endpoint)
	}
	one, two := CreateTable(t, endpoint, "ledger", true), CreateTable(t, endpoint, "ledger", false)
	if one == two {
		t.Fatalf("two tables have the name %s", one)
	}
	client := dynamodb.NewFromConfig(AWSConfig(endpoint))
	if _, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &two}); err != nil {
		t.Fatal(err)
	}
}

func TestRequireListsMoto(t *testing.T) {
	for list, want := range map[string]bool{"": false, "shared": false, "moto": true, "shared,moto,cvc5": true, "motorway": false} {
		t.Setenv("PERMDRIFT_REQUIRE", list)
		if got := required(); got != want {
			t.Errorf("PERMDRIFT_REQUIRE=%q: required %v, want %v", list, got, want)
		}
	}
}
