// Which trusted_root.json means the same as our other kinds of trust? A private PKI as a certificate authority, and the
// client configuration that model_signing reads a trusted root from.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

const MEDIA_TYPE = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';
/** Before every certificate in use. */
const START = '2000-01-01T00:00:00Z';

/** The trusted root that knows these certificate authorities and nothing else. @param pemFiles roots, one or more a file */
export function toPrivatePkiRoot(pemFiles: readonly string[]): object {
  const blocks = pemFiles.flatMap(
    (file) =>
      readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu) ?? [],
  );
  return {
    mediaType: MEDIA_TYPE,
    tlogs: [],
    certificateAuthorities: blocks.map((pem) => ({
      subject: { organization: 'private', commonName: 'private' },
      uri: 'https://pki.models.test',
      certChain: { certificates: [{ rawBytes: new X509Certificate(pem).raw.toString('base64') }] },
      validFor: { start: START },
    })),
    ctlogs: [],
    timestampAuthorities: [],
  };
}

/** The configuration that names no service to sign with. @param trustedRoot text of a trusted_root.json */
export function toClientTrustConfig(trustedRoot: string): object {
  const service = (url: string): object => ({
    url,
    majorApiVersion: 1,
    validFor: { start: START },
    operator: 'nobody',
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
    trustedRoot: JSON.parse(trustedRoot) as object,
    signingConfig: {
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: [service('https://ca.models.test')],
      oidcUrls: [service('https://idp.models.test')],
      rekorTlogUrls: [service('https://rekor.models.test')],
      rekorTlogConfig: { selector: 'ANY' },
      tsaUrls: [service('https://tsa.models.test')],
      tsaConfig: { selector: 'ANY' },
    },
  };
}
