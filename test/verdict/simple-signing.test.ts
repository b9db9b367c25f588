// Do cosign v2 signatures and a model's own signature count in a verdict like any other: for the right policy, once a
// signer, and never in place of what is missing?
import assert from 'node:assert/strict';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { signSimple, simpleSigningPayload, type SimpleSignature } from '../../src/demo/simple-signing.ts';
import { modelSigningStatement } from '../../src/demo/statement.ts';
import { readSignatureAnnotations } from '../../src/evidence/annotations.ts';
import type { Evidence, SignaturePlace, SimpleSigningEvidence } from '../../src/evidence/evidence.ts';
import { sha256Hex } from '../../src/lib/digest.ts';
import type { ImageManifest } from '../../src/model/manifest.ts';
import { judge } from '../../src/verdict/judge.ts';
import { prove } from '../../src/verdict/prove.ts';
import { DIGEST, OTHER_DIGEST, STATEMENT, toManifest } from '../signature/support.ts';
import { compile, toEvidence, toRuleContext, USE } from './support.ts';

const [RED, BLUE] = [generateSigningKey('p256'), generateSigningKey('p384')];
const keyed = (name: string, key: SigningKey, ...signatureFormats: string[]): object => ({
  name,
  key: { pem: key.publicKeyPem },
  ...(signatureFormats.length === 0 ? {} : { signatureFormats }),
});

function toSimple({ payload, annotations }: SimpleSignature): SimpleSigningEvidence {
  const descriptor = { mediaType: 'x/y', digest: DIGEST, size: payload.length, annotations };
  return { place: 'tag', referrer: OTHER_DIGEST, payload, annotations: readSignatureAnnotations(descriptor) };
}

const simple = (key: SigningKey, digest = DIGEST, optional: object = {}): SimpleSigningEvidence =>
  toSimple(signSimple(simpleSigningPayload(digest, { optional }), key));

function findingsOf(spec: object, evidence: Evidence): readonly { reason: string; message: string }[] {
  const policy = compile(spec);
  assert.deepEqual(policy.problems, []);
  const context = toRuleContext();
  const proof = prove(evidence, policy.authorities, context.now);
  return judge(policy, { use: USE, evidence, proof }, context).findings;
}

const reasonsOf = (spec: object, evidence: Evidence): string[] =>
  findingsOf(spec, evidence).map(({ reason }) => reason);
const withSimple = (...simpleSignatures: SimpleSigningEvidence[]): Evidence =>
  toEvidence([], { simpleSignatures });

describe('a policy and cosign v2 signatures', () => {
  const red = { authorities: [keyed('red', RED)] };

  it('counts them without being told to', () => {
    assert.deepEqual(reasonsOf(red, withSimple(simple(RED))), []);
  });

  it('names one that it does not list', () => {
    const spec = { authorities: [keyed('red', RED, 'CosignBundle')] };
    const [finding, ...others] = findingsOf(spec, withSimple(simple(RED)));
    assert.deepEqual([finding?.reason, others], ['SignerNotTrusted', []]);
    assert.match(finding?.message ?? '', /a CosignSimpleSigning signature is present/);
  });

  it('takes them for signatures of the manifest', () => {
    const expression = "model.binding == 'Manifest' && model.mediaType != ''";
    assert.deepEqual(reasonsOf({ ...red, validations: [{ expression }] }, withSimple(simple(RED))), []);
  });

  it('shows rules the annotations that were signed', () => {
    const rule = (stage: string): object => ({
      ...red,
      validations: [{ expression: `signatures.all(s, s.annotations['stage'] == '${stage}')` }],
    });
    const evidence = withSimple(simple(RED, DIGEST, { stage: 'prod', number: 1 }));
    assert.deepEqual(reasonsOf(rule('prod'), evidence), []);
    assert.deepEqual(reasonsOf(rule('test'), evidence), ['RuleViolated']);
    const number = {
      ...red,
      validations: [{ expression: "!signatures.exists(s, 'number' in s.annotations)" }],
    };
    assert.deepEqual(reasonsOf(number, evidence), []);
  });

  it('counts one key once, whatever formats it signed in', () => {
    const spec = { authorities: [keyed('red', RED), keyed('blue', BLUE)], minAuthorities: 2 };
    const both = toEvidence([signBundleWithKey(STATEMENT, RED)], { simpleSignatures: [simple(RED)] });
    assert.ok(reasonsOf(spec, both).includes('AuthoritiesNotSatisfied'));
    const each = toEvidence([signBundleWithKey(STATEMENT, RED)], { simpleSignatures: [simple(BLUE)] });
    assert.deepEqual(reasonsOf(spec, each), []);
  });

  it('lets no bad one spoil a good one, in either order', () => {
    const bad = [
      simple(BLUE),
      simple(RED, OTHER_DIGEST),
      { ...simple(RED), payload: Buffer.from('{') },
      { ...simple(RED), annotations: {} },
      { ...simple(RED), annotations: { ...simple(RED).annotations, certificate: RED.publicKeyPem } },
    ];
    assert.deepEqual(reasonsOf(red, withSimple(...bad, simple(RED))), []);
    assert.deepEqual(reasonsOf(red, withSimple(simple(RED), ...bad)), []);
    assert.deepEqual(
      reasonsOf(red, withSimple(...bad)).toSorted((a, b) => a.localeCompare(b)),
      ['CertificateInvalid', 'SignatureInvalid', 'SignatureInvalid', 'SignerNotTrusted', 'SubjectMismatch'],
    );
  });

  it('says where a broken one is', () => {
    const [finding] = findingsOf(red, withSimple({ ...simple(RED), payload: Buffer.from('{') }));
    assert.match(finding?.message ?? '', /signature tag sha256:cdcdcdcdcdcd…: /);
  });
});

describe('a policy and a model that carries its own signature', () => {
  const WEIGHTS = Buffer.from('weights');
  const files = { authorities: [keyed('red', RED, 'ModelSigning')] };
  const statement = (more: object[] = [], ignored: string[] = []): object =>
    modelSigningStatement(
      'm',
      [{ name: 'model.bin', digest: sha256Hex(WEIGHTS) }, ...(more as { name: string; digest: string }[])],
      ignored,
    );
  const bytesOf = (bundle: object): Buffer => Buffer.from(JSON.stringify(bundle));
  const manifestOf = (contents: Readonly<Record<string, Buffer>>): ImageManifest =>
    toManifest(
      Object.entries(contents).map(([title, bytes]) => ({
        mediaType: 'application/octet-stream',
        digest: `sha256:${sha256Hex(bytes)}`,
        size: bytes.length,
        annotations: { 'org.opencontainers.image.title': title },
      })),
    );
  const evidenceOf = (
    contents: Readonly<Record<string, Buffer>>,
    ...found: readonly (readonly [SignaturePlace, Buffer])[]
  ): Evidence => ({
    digest: DIGEST,
    manifest: manifestOf(contents),
    bundles: found.map(([place, bytes]) => ({ place, referrer: `sha256:${sha256Hex(bytes)}`, bytes })),
    simpleSignatures: [],
    problems: [],
  });
  const own = bytesOf(signBundleWithKey(statement(), RED));

  it('counts it, and hides it from rules', () => {
    const evidence = evidenceOf({ 'model.bin': WEIGHTS, 'model.sig': own }, ['layer', own]);
    assert.deepEqual(reasonsOf(files, evidence), []);
    const expression = "model.binding == 'Files' && model.layers.all(l, l.title == 'model.bin')";
    assert.deepEqual(reasonsOf({ ...files, validations: [{ expression }] }, evidence), []);
  });

  it('does not count it for files that it does not name', () => {
    const more = { 'model.bin': WEIGHTS, 'evil.bin': Buffer.from('x'), 'model.sig': own };
    assert.deepEqual(reasonsOf(files, evidenceOf(more, ['layer', own])), ['FileSetMismatch']);
  });

  it('does not count it by another key, nor as a signature of the manifest', () => {
    const evidence = evidenceOf({ 'model.bin': WEIGHTS, 'model.sig': own }, ['layer', own]);
    assert.deepEqual(reasonsOf({ authorities: [keyed('blue', BLUE, 'ModelSigning')] }, evidence), [
      'SignerNotTrusted',
    ]);
    assert.deepEqual(reasonsOf({ authorities: [keyed('red', RED)] }, evidence), ['SignerNotTrusted']);
  });

  it('counts nothing but model signing from there', () => {
    const cosign = bytesOf(signBundleWithKey(STATEMENT, RED));
    const evidence = evidenceOf({ 'model.bin': WEIGHTS, 'model.sig': cosign }, ['layer', cosign]);
    assert.deepEqual(reasonsOf({ authorities: [keyed('red', RED)] }, evidence), ['SignatureMissing']);
  });

  it('leaves out no file of that name which is no bundle, though the signer ignored it', () => {
    const junk = Buffer.from('exec');
    const elsewhere = bytesOf(signBundleWithKey(statement([], ['model.sig']), RED));
    const contents = { 'model.bin': WEIGHTS, 'model.sig': junk };
    const reasons = reasonsOf(files, evidenceOf(contents, ['referrer', elsewhere], ['layer', junk]));
    assert.deepEqual(new Set(reasons), new Set(['FileSetMismatch', 'SignatureInvalid']));
    assert.deepEqual(reasonsOf(files, evidenceOf(contents, ['referrer', elsewhere])), ['FileSetMismatch']);
  });

  it('leaves out one that is a bundle where the signer ignored it, and only there', () => {
    const foreign = bytesOf(signBundleWithKey(statement(), BLUE));
    const contents = { 'model.bin': WEIGHTS, 'model.sig': foreign };
    const ignoring = bytesOf(signBundleWithKey(statement([], ['model.sig']), RED));
    assert.deepEqual(reasonsOf(files, evidenceOf(contents, ['referrer', ignoring], ['layer', foreign])), []);
    const silent = bytesOf(signBundleWithKey(statement(), RED));
    const reasons = reasonsOf(files, evidenceOf(contents, ['referrer', silent], ['layer', foreign]));
    assert.ok(reasons.includes('FileSetMismatch'));
  });

  it('counts a bundle under the signature tag like one at a referrer', () => {
    assert.deepEqual(reasonsOf(files, evidenceOf({ 'model.bin': WEIGHTS }, ['tag', own])), []);
  });
});
