// What can be configured of the commands that verify files and bundles? Beside options.ts, for commands that know no
// policies and no registries.
import type { OptionSpec } from './config.ts';

/** Options of verify-files. */
export const VERIFY_FILES_OPTIONS = [
  { flag: 'bundle', value: 'FILE', description: 'signature of the files: an OpenSSF Model Signing bundle' },
  { flag: 'key', value: 'FILE', description: 'public keys, PEM: one of them signed' },
  { flag: 'issuer', value: 'ISSUER', description: 'OIDC issuer of the signer, exactly; with --subject' },
  { flag: 'subject', value: 'SUBJECT', description: 'identity of the signer, exactly; with --issuer' },
  {
    flag: 'trusted-root',
    value: 'FILE',
    description: 'trusted_root.json for --issuer and --subject (default: public-good Sigstore)',
  },
  {
    flag: 'roots',
    value: 'FILE',
    description: 'root certificates, PEM: any code-signing certificate under them signed',
  },
  {
    flag: 'ignore-path',
    value: 'PATH',
    multiple: true,
    description: 'path in the directory that need not be signed (repeatable)',
  },
  { flag: 'json', description: 'print the verdict as one line of JSON' },
] as const satisfies readonly OptionSpec[];

const COUNT = '^\\d$';

/** Options of verify-bundle. */
export const VERIFY_BUNDLE_OPTIONS = [
  { flag: 'bundle', value: 'FILE', description: 'Sigstore bundle, JSON' },
  { flag: 'certificate-identity', value: 'TEXT', description: 'subject alternative name of the signer' },
  { flag: 'certificate-oidc-issuer', value: 'URL', description: 'OIDC issuer of the signer' },
  { flag: 'key', value: 'FILE', description: 'public key of the signer, PEM, instead of an identity' },
  {
    flag: 'trusted-root',
    value: 'FILE',
    description: 'trusted_root.json (default: Sigstore’s public-good instance)',
  },
  {
    flag: 'tlog-threshold',
    value: 'N',
    default: '1',
    pattern: COUNT,
    description: 'transparency logs that must hold an entry',
  },
  {
    flag: 'timestamp-threshold',
    value: 'N',
    default: '1',
    pattern: COUNT,
    description: 'authorities that must vouch for a time',
  },
  {
    flag: 'ctlog-threshold',
    value: 'N',
    default: '1',
    pattern: COUNT,
    description: 'certificate logs that must have seen the certificate',
  },
] as const satisfies readonly OptionSpec[];
