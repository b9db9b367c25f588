// Command sigstore-go measures how many bundles sigstore-go verifies per second of processor time. It reads commands from
// standard input, one a line, "NAME MILLISECONDS", so that rounds can alternate with other verifiers, and answers each
// with the rate. The directory that it is given holds NAME.json, and beside it what the bundle is verified against.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

// scenario is the file NAME.scenario.json.
type scenario struct {
	// Key is a PEM text; without it the subject of issuer must have signed.
	Key                   string `json:"key"`
	Issuer                string `json:"issuer"`
	Subject               string `json:"subject"`
	TrustedRoot           string `json:"trustedRoot"`
	Message               []byte `json:"message"`
	LogEntries            int    `json:"logEntries"`
	Timestamps            int    `json:"timestamps"`
	CertificateTimestamps int    `json:"certificateTimestamps"`
}

func main() {
	runtime.GOMAXPROCS(1)
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: sigstore-go DIR"))
	}
	prepared := map[string]func() error{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var name string
		var milliseconds int
		if _, err := fmt.Sscan(lines.Text(), &name, &milliseconds); err != nil {
			fail(err)
		}
		run, known := prepared[name]
		if !known {
			made, err := prepare(os.Args[1], name)
			if err != nil {
				fail(err)
			}
			run, prepared[name] = made, made
		}
		rate, err := measure(run, time.Duration(milliseconds)*time.Millisecond)
		if err != nil {
			fail(fmt.Errorf("%s: %w", name, err))
		}
		fmt.Println(rate)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// prepare reads trust once, as every verifier here may; the bundle is parsed each time.
func prepare(directory, name string) (func() error, error) {
	text, err := os.ReadFile(filepath.Join(directory, name+".json"))
	if err != nil {
		return nil, err
	}
	described, err := os.ReadFile(filepath.Join(directory, name+".scenario.json"))
	if err != nil {
		return nil, err
	}
	var wanted scenario
	if err := json.Unmarshal(described, &wanted); err != nil {
		return nil, err
	}
	verifier, signer, err := toVerifier(wanted)
	if err != nil {
		return nil, err
	}
	return func() error {
		entity := &bundle.Bundle{}
		if err := entity.UnmarshalJSON(text); err != nil {
			return err
		}
		artifact := verify.WithoutArtifactUnsafe()
		if len(wanted.Message) > 0 {
			artifact = verify.WithArtifact(bytes.NewReader(wanted.Message))
		}
		_, err := verifier.Verify(entity, verify.NewPolicy(artifact, signer))
		return err
	}, nil
}

func toVerifier(wanted scenario) (*verify.Verifier, verify.PolicyOption, error) {
	trusted := root.TrustedMaterialCollection{}
	if wanted.TrustedRoot != "" {
		parsed, err := root.NewTrustedRootFromJSON([]byte(wanted.TrustedRoot))
		if err != nil {
			return nil, nil, err
		}
		trusted = append(trusted, parsed)
	}
	signer := verify.WithKey()
	if wanted.Key == "" {
		identity, err := verify.NewShortCertificateIdentity(wanted.Issuer, "", wanted.Subject, "")
		if err != nil {
			return nil, nil, err
		}
		signer = verify.WithCertificateIdentity(identity)
	} else {
		key, err := cryptoutils.UnmarshalPEMToPublicKey([]byte(wanted.Key))
		if err != nil {
			return nil, nil, err
		}
		checker, err := signature.LoadDefaultVerifier(key)
		if err != nil {
			return nil, nil, err
		}
		always := root.NewExpiringKey(checker, time.Time{}, time.Time{})
		trusted = append(trusted, root.NewTrustedPublicKeyMaterial(
			func(string) (root.TimeConstrainedVerifier, error) { return always, nil }))
	}
	verifier, err := verify.NewVerifier(trusted, toOptions(wanted)...)
	return verifier, signer, err
}

func toOptions(wanted scenario) []verify.VerifierOption {
	var options []verify.VerifierOption
	if wanted.LogEntries > 0 {
		options = append(options, verify.WithTransparencyLog(wanted.LogEntries))
	}
	if wanted.Timestamps > 0 {
		options = append(options, verify.WithObserverTimestamps(wanted.Timestamps))
	} else {
		options = append(options, verify.WithNoObserverTimestamps())
	}
	if wanted.CertificateTimestamps > 0 {
		options = append(options, verify.WithSignedCertificateTimestamps(wanted.CertificateTimestamps))
	}
	return options
}

// measure answers verifications per second of processor time of the whole process, collector included. It uses as much
// of that time as is wanted, however busy the machine is.
func measure(run func() error, wanted time.Duration) (float64, error) {
	before := processorTime()
	count := 0
	for used := time.Duration(0); ; used = processorTime() - before {
		if used >= wanted {
			return float64(count) / used.Seconds(), nil
		}
		if err := run(); err != nil {
			return 0, err
		}
		count++
	}
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
