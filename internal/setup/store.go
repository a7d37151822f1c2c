package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/permdrift/permdrift/pkg/audit"
	"github.com/permdrift/permdrift/pkg/baseline"
	"github.com/permdrift/permdrift/pkg/drift"
	"github.com/permdrift/permdrift/pkg/ledger"
)

// Store is what the command line keeps things in.
type Store struct {
	Name     string // for people: the file, "memory", or the tables
	Baseline baseline.Store
	Ledger   ledger.Store
	States   audit.States
	// Seals makes and verifies the seals of adoptions, with the key in the file.
	// It is nil where Ledger is a table of a deployment, whose key only its
	// auditor may use.
	Seals audit.Seals
	close func() error
}

// Close closes the store.
func (s *Store) Close() error { return s.close() }

// tables is how --store begins where it names the tables of a deployment.
const tables = "dynamodb:"

// Shared reports whether --store names the tables of a deployment, whose
// auditor works on them too.
func Shared(name string) bool { return strings.HasPrefix(name, tables) }

// OpenExistingStore is [OpenStore] for commands that only look: a file that is
// not there is an error, and is not made.
func OpenExistingStore(ctx context.Context, name string, getenv func(string) string) (*Store, error) {
	path := name
	if name == "" {
		var err error
		if path, err = defaultPath(getenv); err != nil {
			return nil, err
		}
	}
	if name != drift.NoStore && !Shared(name) {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("opening the store %s: there is none yet; 'permdrift audit', 'scan' and 'baseline capture' make one", path)
		}
	}
	return OpenStore(ctx, name, getenv)
}

// OpenStore opens what --store names: "" is the default file in the user's
// state directory, "none" an empty store that is gone afterwards,
// "dynamodb:BASELINE,LEDGER" the two tables of a deployment, and anything else
// a file, which is made if need be.
func OpenStore(ctx context.Context, name string, getenv func(string) string) (*Store, error) {
	switch {
	case name == drift.NoStore:
		return temporaryStore()
	case Shared(name):
		return tableStore(ctx, strings.TrimPrefix(name, tables))
	case name == "":
		path, err := defaultPath(getenv)
		if err != nil {
			return nil, err
		}
		name = path
	}
	return fileStore(name)
}

// defaultPath is permdrift/store.db in the user's state directory (XDG).
func defaultPath(getenv func(string) string) (string, error) {
	dir := getenv("XDG_STATE_HOME")
	if dir == "" {
		home := getenv("HOME")
		if home == "" {
			return "", errors.New("opening the store: HOME is not set, so there is no default; name a file with --store")
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "permdrift")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the store's folder: %w; name a file with --store", err)
	}
	return filepath.Join(dir, "store.db"), nil
}

func fileStore(path string) (*Store, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("opening the store: %s is a directory; name a file", path)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 3 * time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("opening the store %s: another permdrift has it open", path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store %s: %w", path, err)
	}
	findings, baselines := ledger.NewBolt(db), baseline.NewBolt(db)
	key, err := baselines.SealingKey()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store %s: %w", path, err), db.Close())
	}
	return &Store{Name: path, Baseline: baselines, Ledger: findings, States: findings, Seals: baseline.NewLocal(key), close: db.Close}, nil
}

// temporaryStore is an embedded store in a file that nobody else sees and that
// is removed when it is closed.
func temporaryStore() (*Store, error) {
	dir, err := os.MkdirTemp("", "permdrift-")
	if err != nil {
		return nil, fmt.Errorf("making an empty store: %w", err)
	}
	store, err := fileStore(filepath.Join(dir, "store.db"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	shut := store.close
	store.Name = "memory"
	store.close = func() error { return errors.Join(shut(), os.RemoveAll(dir)) }
	return store, nil
}

func tableStore(ctx context.Context, names string) (*Store, error) {
	baselines, findings, ok := strings.Cut(names, ",")
	if !ok || baselines == "" || findings == "" {
		return nil, fmt.Errorf("opening the store dynamodb:%s: expected dynamodb:BASELINE_TABLE,LEDGER_TABLE", names)
	}
	c, err := configuration(ctx, "")
	if err == nil && c.Region == "" {
		err = errors.New("no region: set AWS_REGION")
	}
	if err == nil {
		err = signedIn(ctx, c)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the store dynamodb:%s: %w", names, err)
	}
	client := dynamodb.NewFromConfig(c)
	return &Store{
		Name: "dynamodb:" + names, Baseline: baseline.NewDynamoDBAdmin(client, baselines), Ledger: ledger.NewDynamoDBAdmin(client, findings),
		States: make(stateMap), close: func() error { return nil },
	}, nil
}

// stateMap keeps rebuilt states as long as the command runs.
type stateMap map[drift.Subject]drift.State

// State returns the last state of a subject.
func (m stateMap) State(_ context.Context, s drift.Subject) (drift.State, error) {
	state, ok := m[s]
	if !ok {
		return state, drift.ErrNotFound
	}
	return state, nil
}

// SaveState keeps a state.
func (m stateMap) SaveState(_ context.Context, s drift.State) error {
	m[s.Subject] = s
	return nil
}
