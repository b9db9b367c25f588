// Which objects does the second opinion walk? Certificates, timestamps and trust material of @sigstore/verify's own
// classes on raw bytes: no signed byte is encoded again, and links inside a trusted root are verified once.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { ASN1Obj, crypto as library, RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import { childrenOf, DER_TAG, readDer, requireTag } from '../lib/der.ts';
import { SignatureError } from './error.ts';
import type { PreparedAuthority, PreparedLog, PreparedTrust } from './prepared-trust.ts';

/** A certificate as the library walks it. @throws what the library's reader throws */
export class WitnessCertificate extends X509Certificate {
  readonly #der: Buffer;
  readonly #tbs: Buffer;
  readonly #spki: Buffer;
  readonly #precertificateTbs: Buffer | undefined;
  #issuerKey: KeyObject | undefined;
  readonly #links = new WeakMap<X509Certificate, boolean>();

  /** @param precertificateTbs signed part without SCTs; only leaves have one */
  constructor(der: Buffer, precertificateTbs?: Buffer) {
    super(ASN1Obj.parseBuffer(der as Buffer<ArrayBuffer>));
    const [tbs] = childrenOf(readDer(der, DER_TAG.sequence), DER_TAG.sequence);
    this.#der = der;
    this.#tbs = requireTag(tbs, DER_TAG.sequence).bytes;
    this.#spki = requireTag(childrenOf(tbs, DER_TAG.sequence)[6], DER_TAG.sequence).bytes;
    this.#precertificateTbs = precertificateTbs;
  }

  override get publicKey(): Buffer {
    return this.#spki;
  }

  override equals(other: X509Certificate): boolean {
    return other instanceof WitnessCertificate && this.#der.equals(other.#der);
  }

  /** Links between certificates of one trusted root are proven once; they cannot change. */
  override verify(issuer?: X509Certificate): boolean {
    const by = issuer ?? this;
    const known = this.#links.get(by);
    if (known !== undefined) return known;
    const isGood = by instanceof WitnessCertificate && this.#isSignedBy(by);
    this.#links.set(by, isGood);
    return isGood;
  }

  #isSignedBy(issuer: WitnessCertificate): boolean {
    issuer.#issuerKey ??= createPublicKey({ key: issuer.#spki, format: 'der', type: 'spki' });
    return library.verify(this.#tbs, issuer.#issuerKey, this.signatureValue, this.signatureAlgorithm);
  }

  /** The library clones a leaf only to cut its SCTs out and encode it again; both are done already. */
  override clone(): X509Certificate {
    const tbs = this.#precertificateTbs ?? this.#tbs;
    const standIn = { extensions: [...this.extensions], tbsCertificate: { toDER: () => tbs } };
    return standIn as unknown as X509Certificate;
  }
}

/** A timestamp as the library walks it. The library reads times with three fraction digits only: ours is handed over. */
export class WitnessTimestamp extends RFC3161Timestamp {
  readonly #at: Date;

  constructor(response: Buffer, at: Date) {
    super(ASN1Obj.parseBuffer(response as Buffer<ArrayBuffer>));
    this.#at = at;
  }

  override get signingTime(): Date {
    return this.#at;
  }
}

/** The library's trust material, under a name of its own so that only the second opinion knows the library. */
export interface WitnessTrust {
  readonly certificateAuthorities: WitnessAuthority[];
  readonly timestampAuthorities: WitnessAuthority[];
  readonly tlogs: WitnessLog[];
  readonly ctlogs: WitnessLog[];
  readonly publicKey: () => never;
}

interface WitnessAuthority {
  readonly certChain: X509Certificate[];
  readonly validFor: PreparedAuthority['validFor'];
}

interface WitnessLog {
  readonly baseURL: string;
  readonly logID: Buffer;
  readonly publicKey: KeyObject;
  readonly validFor: PreparedLog['validFor'];
}

const materials = new WeakMap<PreparedTrust, WitnessTrust>();

/** The library's view of prepared trust, made once. */
export function toTrustMaterial(trust: PreparedTrust): WitnessTrust {
  const known = materials.get(trust);
  if (known !== undefined) return known;
  const material: WitnessTrust = {
    certificateAuthorities: trust.certificateAuthorities.map(toAuthority),
    timestampAuthorities: trust.timestampAuthorities.map(toAuthority),
    tlogs: trust.logs.map(toLog),
    ctlogs: trust.certificateLogs.map(toLog),
    publicKey: () => {
      throw new SignatureError('InternalError', 'a trusted root holds no signing keys');
    },
  };
  materials.set(trust, material);
  return material;
}

function toAuthority({ chain, validFor }: PreparedAuthority): WitnessAuthority {
  return { certChain: chain.map(({ certificate }) => new WitnessCertificate(certificate.der)), validFor };
}

function toLog({ baseUrl, logId, publicKey, validFor }: PreparedLog): WitnessLog {
  return { baseURL: baseUrl, logID: logId, publicKey, validFor };
}
