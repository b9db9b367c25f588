// What does this timestamp say, and who claims to have signed it? A strict reader of RFC 3161 responses and the CMS
// SignedData inside (RFC 5652). It returns views of the signed bytes; nothing is verified here.
import {
  childrenOf,
  DER_TAG,
  DerError,
  onlyChildOf,
  readDer,
  readDerChildren,
  requireTag,
  toBoolean,
  toInteger,
  toOid,
  toSmallInteger,
  type DerElement,
} from '../lib/der.ts';
import { toGeneralizedTime } from '../lib/der-time.ts';
import {
  readHashAlgorithm,
  readSignatureAlgorithm,
  type HashName,
  type SignatureAlgorithm,
} from './signature-algorithm.ts';

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
} as const;

/** A timestamp as it was read. */
export interface TimestampToken {
  /** DER of the TSTInfo: what the signed attributes vouch for. */
  readonly info: Buffer;
  readonly imprint: { readonly hash: HashName; readonly digest: Buffer };
  readonly genTime: Date;
  /** DER of the signer's issuer name, and its serial number. */
  readonly signer: { readonly issuer: Buffer; readonly serial: Buffer };
  readonly digestHash: HashName;
  /** Values of the signed attributes by OID. */
  readonly attributes: ReadonlyMap<string, DerElement>;
  /** What is signed: the attributes under the tag of a SET (RFC 5652 §5.4). */
  readonly signedBytes: Buffer;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Buffer;
}

/** Reads a TimeStampResp. @throws DerError */
export function readTimestamp(response: Buffer): TimestampToken {
  const [status, token, ...others] = readDerChildren(readDer(response, DER_TAG.sequence).content);
  // RFC 3161 §2.4.2: only granted (0) and grantedWithMods (1) come with a token.
  if (toSmallInteger(childrenOf(status, DER_TAG.sequence)[0]) > 1 || others.length > 0)
    throw new DerError('timestamp was not granted');
  const [type, content, ...more] = childrenOf(token, DER_TAG.sequence);
  if (toOid(type) !== OID.signedData || more.length > 0) throw new DerError('timestamp is no signed data');
  return readSignedData(onlyChildOf(content, 0xa0));
}

// SignedData (RFC 5652 §5.1): version 3, digest algorithms, content, [0] certificates, [1] CRLs, signer infos. What is
// embedded is not signed and not read: the signer's certificate comes from the trusted root.
function readSignedData(data: DerElement): TimestampToken {
  const [version, algorithms, content, ...rest] = childrenOf(data, DER_TAG.sequence);
  if (toSmallInteger(version) !== 3) throw new DerError('timestamp is of another CMS version than 3');
  // Not signed; one signer uses one hash, and the list must not say another.
  const listedHash = readHashAlgorithm(onlyChildOf(algorithms, DER_TAG.set));
  const signerInfos = rest.pop();
  const tags = rest.map(({ tag }) => tag).join();
  if (!['', '160', '160,161'].includes(tags)) throw new DerError('timestamp has unknown members');
  const [contentType, wrapped, ...others] = childrenOf(content, DER_TAG.sequence);
  if (toOid(contentType) !== OID.timestampInfo || others.length > 0)
    throw new DerError('timestamp holds another content type than TSTInfo');
  const info = requireTag(onlyChildOf(wrapped, 0xa0), DER_TAG.octetString).content;
  const signer = readSignerInfo(onlyChildOf(signerInfos, DER_TAG.set));
  if (signer.digestHash !== listedHash)
    throw new DerError('timestamp lists another hash than its signer uses');
  return { ...readInfo(info), ...signer };
}

// TSTInfo (RFC 3161 §2.4.2).
function readInfo(info: Buffer): Pick<TimestampToken, 'info' | 'imprint' | 'genTime'> {
  const [version, policy, imprint, serial, genTime, ...options] = readDerChildren(
    readDer(info, DER_TAG.sequence).content,
  );
  if (toSmallInteger(version) !== 1) throw new DerError('timestamp is of another version than 1');
  toOid(policy);
  toInteger(serial);
  const [algorithm, digest, ...others] = childrenOf(imprint, DER_TAG.sequence);
  if (others.length > 0) throw new DerError('timestamp has an imprint with more than a hash');
  checkOptions(options);
  return {
    info,
    imprint: {
      hash: readHashAlgorithm(algorithm),
      digest: requireTag(digest, DER_TAG.octetString).content,
    },
    genTime: toGeneralizedTime(genTime),
  };
}

// accuracy, ordering, nonce, [0] tsa, [1] extensions: each at most once and in this order; none may be critical.
function checkOptions(options: readonly DerElement[]): void {
  const order: readonly number[] = [DER_TAG.sequence, DER_TAG.boolean, DER_TAG.integer, 0xa0, 0xa1];
  let last = -1;
  for (const option of options) {
    const position = order.indexOf(option.tag);
    if (position <= last) throw new DerError('timestamp has unknown members');
    last = position;
  }
  const extensions: DerElement | undefined = options.find(({ tag }) => tag === 0xa1);
  for (const extension of readDerChildren(extensions?.content ?? Buffer.alloc(0))) {
    const [, critical] = childrenOf(extension, DER_TAG.sequence);
    if (critical?.tag === DER_TAG.boolean && toBoolean(critical))
      throw new DerError('timestamp has a critical extension');
  }
}

type Signer = Omit<TimestampToken, 'info' | 'imprint' | 'genTime'>;

// SignerInfo (RFC 5652 §5.3) with issuer and serial number; unsigned attributes are not read.
function readSignerInfo(info: DerElement): Signer {
  const [version, sid, digestAlgorithm, attributes, algorithm, signature, ...rest] = childrenOf(
    info,
    DER_TAG.sequence,
  );
  if (toSmallInteger(version) !== 1) throw new DerError('timestamp names its signer in an unsupported way');
  if (rest.length > 1 || (rest[0] !== undefined && rest[0].tag !== 0xa1))
    throw new DerError('timestamp has unknown members');
  const [issuer, serial, ...others] = childrenOf(sid, DER_TAG.sequence);
  if (others.length > 0) throw new DerError('timestamp names more than one signer');
  const digestHash = readHashAlgorithm(digestAlgorithm);
  const signed = requireTag(attributes, 0xa0);
  const signedBytes = Buffer.from(signed.bytes);
  signedBytes[0] = DER_TAG.set;
  return {
    signer: { issuer: requireTag(issuer, DER_TAG.sequence).bytes, serial: toInteger(serial) },
    digestHash,
    attributes: readAttributes(signed),
    signedBytes,
    algorithm: readSignatureAlgorithm(algorithm, digestHash),
    signature: requireTag(signature, DER_TAG.octetString).content,
  };
}

// RFC 5652 §5.3 and §11: no attribute twice, and the ones that are read have exactly one value.
function readAttributes(signed: DerElement): ReadonlyMap<string, DerElement> {
  const attributes = new Map<string, DerElement>();
  for (const attribute of readDerChildren(signed.content)) {
    const [type, values, ...others] = childrenOf(attribute, DER_TAG.sequence);
    const oid = toOid(type);
    if (attributes.has(oid) || others.length > 0)
      throw new DerError(`timestamp has the attribute ${oid} twice`);
    attributes.set(oid, onlyChildOf(values, DER_TAG.set));
  }
  return attributes;
}
