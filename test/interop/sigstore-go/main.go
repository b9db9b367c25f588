// Command sigstore-go answers, for each question on standard input, whether sigstore-go accepts the bundle: one line of
// JSON for each, in their order. It decides nothing itself; which questions are asked is the business of the runner.
package main

import (
	"bufio"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// question names files; empty texts are absent.
type question struct {
	Bundle string `json:"bundle"`
	// Key is a PEM file; without it an identity is asked for.
	Key         string `json:"key"`
	Ed25519ph   bool   `json:"ed25519ph"`
	TrustedRoot string `json:"trustedRoot"`
	Subject     string `json:"subject"`
	// Issuer is compared exactly; AnyIssuer is for certificates that name none.
	Issuer    string `json:"issuer"`
	AnyIssuer bool   `json:"anyIssuer"`
	// Artifact is a file, Digest lower-case hex SHA-256; without both only the signer is judged.
	Artifact              string `json:"artifact"`
	Digest                string `json:"digest"`
	LogEntries            int    `json:"logEntries"`
	Timestamps            int    `json:"timestamps"`
	CertificateTimestamps int    `json:"certificateTimestamps"`
	PredicateType         string `json:"predicateType"`
	// AllowChain is for bundles of a private PKI.
	AllowChain bool `json:"allowChain"`
}

type answer struct {
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"`
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := json.NewEncoder(os.Stdout)
	for {
		var asked question
		if err := in.Decode(&asked); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		given := answer{Accepted: true}
		if err := judge(asked); err != nil {
			given = answer{Reason: err.Error()}
		}
		if err := out.Encode(given); err != nil {
			os.Exit(2)
		}
	}
}

// judge recovers, so that a panic of the library is one rejection with its own word.
func judge(asked question) (err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("panic: %v", caught)
		}
	}()
	entity, err := bundle.LoadJSONFromPath(asked.Bundle, toBundleOptions(asked)...)
	if err != nil {
		return err
	}
	trusted, err := toTrust(asked)
	if err != nil {
		return err
	}
	verifier, err := verify.NewVerifier(trusted, toRequirements(asked)...)
	if err != nil {
		return err
	}
	signer, err := toSigner(asked)
	if err != nil {
		return err
	}
	artifact, err := toArtifact(asked)
	if err != nil {
		return err
	}
	result, err := verifier.Verify(entity, verify.NewPolicy(artifact, signer))
	if err != nil {
		return err
	}
	if asked.PredicateType != "" && (result.Statement == nil || result.Statement.PredicateType != asked.PredicateType) {
		return errors.New("the statement is of another type")
	}
	return nil
}

func toBundleOptions(asked question) []bundle.Option {
	if !asked.AllowChain {
		return nil
	}
	return []bundle.Option{bundle.AllowCertificateChain()}
}

func toTrust(asked question) (root.TrustedMaterial, error) {
	trusted := root.TrustedMaterialCollection{}
	if asked.TrustedRoot != "" {
		fromFile, err := root.NewTrustedRootFromPath(asked.TrustedRoot)
		if err != nil {
			return nil, err
		}
		trusted = append(trusted, fromFile)
	}
	if asked.Key != "" {
		pem, err := os.ReadFile(asked.Key)
		if err != nil {
			return nil, err
		}
		key, err := cryptoutils.UnmarshalPEMToPublicKey(pem)
		if err != nil {
			return nil, err
		}
		verifier, err := toKeyVerifier(key, asked.Ed25519ph)
		if err != nil {
			return nil, err
		}
		always := root.NewExpiringKey(verifier, time.Time{}, time.Time{})
		trusted = append(trusted, root.NewTrustedPublicKeyMaterial(
			func(string) (root.TimeConstrainedVerifier, error) { return always, nil }))
	}
	return trusted, nil
}

// The hash goes with the curve.
func toKeyVerifier(key crypto.PublicKey, ed25519ph bool) (signature.Verifier, error) {
	if ed25519ph {
		return signature.LoadDefaultVerifier(key, options.WithED25519ph())
	}
	return signature.LoadDefaultVerifier(key)
}

func toRequirements(asked question) []verify.VerifierOption {
	var required []verify.VerifierOption
	if asked.LogEntries > 0 {
		required = append(required, verify.WithTransparencyLog(asked.LogEntries))
	}
	if asked.Timestamps > 0 {
		required = append(required, verify.WithObserverTimestamps(asked.Timestamps))
	} else if asked.Key != "" {
		required = append(required, verify.WithNoObserverTimestamps())
	} else {
		required = append(required, verify.WithCurrentTime())
	}
	if asked.Key == "" && asked.CertificateTimestamps > 0 {
		required = append(required, verify.WithSignedCertificateTimestamps(asked.CertificateTimestamps))
	}
	return required
}

func toSigner(asked question) (verify.PolicyOption, error) {
	if asked.Key != "" {
		return verify.WithKey(), nil
	}
	anyIssuer, anySubject := "", ""
	if asked.AnyIssuer {
		anyIssuer = ".*"
	}
	if asked.Subject == "" {
		anySubject = ".*"
	}
	identity, err := verify.NewShortCertificateIdentity(asked.Issuer, anyIssuer, asked.Subject, anySubject)
	if err != nil {
		return nil, err
	}
	return verify.WithCertificateIdentity(identity), nil
}

func toArtifact(asked question) (verify.ArtifactPolicyOption, error) {
	switch {
	case asked.Artifact != "":
		content, err := os.ReadFile(asked.Artifact)
		if err != nil {
			return nil, err
		}
		return verify.WithArtifact(strings.NewReader(string(content))), nil
	case asked.Digest != "":
		digest, err := hex.DecodeString(asked.Digest)
		if err != nil {
			return nil, err
		}
		return verify.WithArtifactDigest("sha256", digest), nil
	default:
		return verify.WithoutArtifactUnsafe(), nil
	}
}
