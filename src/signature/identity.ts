// Is this signer one that the authority names? Exact comparison by default; patterns are RE2 and match the whole text.
import { quote } from '../lib/text.ts';

/** A test for one text, with the words to describe it. */
export interface TextMatcher {
  readonly matches: (text: string) => boolean;
  /** As the policy writes it, for messages. */
  readonly describe: string;
}

/** Builds a matcher for one exact text. */
export function createExactMatcher(expected: string): TextMatcher {
  return { matches: (text) => text === expected, describe: quote(expected) };
}

/** One allowed identity: issuer and subject are both mandatory, claims are on the same certificate. */
export interface IdentityMatcher {
  readonly issuer: TextMatcher;
  readonly subject: TextMatcher;
  readonly claims: ReadonlyMap<string, TextMatcher>;
}

/** What a certificate says. */
export interface CertificateIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Readonly<Record<string, string>>;
}

/** True when every part of the identity matches; a claim that the certificate lacks never matches. */
export function matchIdentity(identity: CertificateIdentity, allowed: IdentityMatcher): boolean {
  return (
    allowed.issuer.matches(identity.issuer) &&
    allowed.subject.matches(identity.subject) &&
    [...allowed.claims].every(([name, matcher]) => {
      const value = Object.hasOwn(identity.claims, name) ? identity.claims[name] : undefined;
      return value !== undefined && matcher.matches(value);
    })
  );
}
