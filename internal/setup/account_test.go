package setup

import (
	"strings"
	"testing"

	"github.com/permdrift/permdrift/internal/localaws"
)

func TestOpenAccount(t *testing.T) {
	server := localaws.New(localaws.Options{})
	t.Setenv("AWS_ENDPOINT_URL", server.Start())
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	a, err := OpenAccount(t.Context(), "eu-west-1", 1)
	if err != nil || a.ID != localaws.DefaultAccount || a.Region != "eu-west-1" || a.Partition() != "aws" || a.Live == nil {
		t.Errorf("got %+v, %v", a, err)
	}
	server.Close()
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	if _, err := OpenAccount(t.Context(), "eu-west-1", 1); err == nil || !strings.Contains(err.Error(), "who the caller is") {
		t.Errorf("got %v", err)
	}
}
