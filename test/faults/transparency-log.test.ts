// Does a log entry only count when it is about this signature and every part of its proof holds? Real entries of a real
// log with one thing wrong, in either generation of Rekor.
import assert from 'node:assert/strict';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { createSigstore, type KeylessOptions, type Sigstore } from '../../src/demo/sigstore.ts';
import { cosignSignStatement } from '../../src/demo/statement.ts';
import { createTransparencyLog, type RekorVersion } from '../../src/demo/transparency-log.ts';
import { change, valueAt, type Path } from '../signature/support.ts';
import type { Answer, Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import { ALICE, pushSignedBy, startKeyless, trustedRootOf } from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const ENTRIES: Path = ['verificationMaterial', 'tlogEntries'];
const ENTRY: Path = [...ENTRIES, 0];
const PROOF: Path = [...ENTRY, 'inclusionProof'];
const CHECKPOINT: Path = [...PROOF, 'checkpoint', 'envelope'];
const INVALID = { code: 403, reasons: ['TransparencyLogInvalid'] } as const;
const OTHER = cosignSignStatement(`sha256:${'cd'.repeat(32)}`);

/** The same bytes with the lowest bit of the first one turned. */
function flip(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes.toString('base64');
}

const flipAt = (bundle: object, path: Path): object =>
  change(bundle, path, flip(valueAt(bundle, path) as string));
const rewrite = (bundle: object, edit: (note: string) => string): object =>
  change(bundle, CHECKPOINT, edit(valueAt(bundle, CHECKPOINT) as string));

/** What is done to a good bundle of either generation, and what the denial says. */
const TAMPERED: Readonly<Record<string, readonly [(bundle: object) => object, RegExp]>> = {
  'body of the entry': [
    (bundle) => {
      const path = [...ENTRY, 'canonicalizedBody'];
      const body = Buffer.from(valueAt(bundle, path) as string, 'base64').toString();
      return change(bundle, path, Buffer.from(`${body} `).toString('base64'));
    },
    /signed entry timestamp is not by the log|inclusion proof does not lead/,
  ],
  'hash of the proof': [(bundle) => flipAt(bundle, [...PROOF, 'hashes', 0]), /proof does not lead/],
  'number of hashes': [(bundle) => change(bundle, [...PROOF, 'hashes'], []), /proof does not lead/],
  'index in the tree': [(bundle) => change(bundle, [...PROOF, 'logIndex'], '0'), /proof does not lead/],
  'size of the tree': [(bundle) => change(bundle, [...PROOF, 'treeSize'], '1000000'), /another tree/],
  'root hash': [(bundle) => flipAt(bundle, [...PROOF, 'rootHash']), /another tree/],
  'size in the checkpoint': [
    (bundle) => rewrite(bundle, (note) => note.replace(/\n(\d+)\n/, '\n1$1\n')),
    /checkpoint has a wrong signature/,
  ],
  'origin of the checkpoint': [
    (bundle) => rewrite(bundle, (note) => `evil${note}`),
    /checkpoint has a wrong signature/,
  ],
  'signature of the checkpoint': [
    (bundle) =>
      rewrite(bundle, (note) => {
        const encoded = note.trimEnd().split(' ').at(-1) ?? '';
        const bytes = Buffer.from(encoded, 'base64');
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        return note.replace(encoded, bytes.toString('base64'));
      }),
    /checkpoint has a wrong signature/,
  ],
  'key id of the checkpoint': [
    (bundle) =>
      rewrite(bundle, (note) => {
        const encoded = note.trimEnd().split(' ').at(-1) ?? '';
        return note.replace(encoded, flip(encoded));
      }),
    /checkpoint is not signed by the log/,
  ],
  'name of the checkpoint’s signer': [
    (bundle) => rewrite(bundle, (note) => note.replace('\u2014 ', '\u2014 evil.')),
    /checkpoint is not signed by the log/,
  ],
  'log’s id': [(bundle) => flipAt(bundle, [...ENTRY, 'logId', 'keyId']), /it has entries of 0 logs/],
};

for (const rekor of ['v1', 'v2'] as const satisfies readonly RekorVersion[])
  describe(`an entry of Rekor ${rekor} (faults 11 and 12)`, () => {
    let registry: RegistryHandle;
    let sigstore: Sigstore;
    let controller: Controller;

    before(async () => {
      registry = await startRegistry();
      sigstore = await createSigstore({ rekor });
      controller = await startKeyless(registry, sigstore.trustedRootJson());
    });
    after(async () => {
      await controller.stop();
      await registry.close();
    });

    const reviewOfSigned = async (
      tamper: (bundle: object, statement: object) => object | Promise<object>,
      options: KeylessOptions = {},
    ): Promise<object> => {
      const sign = async (statement: object): Promise<object> =>
        tamper(await sigstore.signKeyless(statement, ALICE, options), statement);
      return reviewOf(volumePod((await pushSignedBy(registry, sign)).reference));
    };
    const denied = async (review: object): Promise<Answer> => expectDenied(controller, review, INVALID);

    it('counts when nothing is wrong', async () => {
      await expectAllowed(controller, await reviewOfSigned((bundle) => bundle));
    });

    it('11: is denied when it is about another artifact', async () => {
      const { message } = await denied(await reviewOfSigned((bundle) => bundle, { logBodyFor: OTHER }));
      assert.match(message, /the transparency log entry is about another signature; sign again with/);
    });

    it('11: is denied when it is about the same artifact, signed another time', async () => {
      const { message } = await denied(
        await reviewOfSigned(async (bundle, statement) => {
          const again = await sigstore.signKeyless(statement, ALICE);
          return change(bundle, ENTRIES, valueAt(again, ENTRIES));
        }),
      );
      assert.match(message, /the transparency log entry names another signer/);
    });

    it('11: is denied when it names somebody else’s certificate', async () => {
      const stranger = await sigstore.signKeyless(OTHER, { ...ALICE, subject: 'bob@models.test' });
      const path = ['verificationMaterial', 'certificate', 'rawBytes'];
      const certificate = Buffer.from(valueAt(stranger, path) as string, 'base64');
      const { message } = await denied(
        await reviewOfSigned((bundle) => bundle, { logVerifier: { certificate } }),
      );
      assert.match(message, /names another signer/);
    });

    it('11: is denied beside a good one', async () => {
      const { message } = await denied(
        await reviewOfSigned(async (bundle) => {
          const other = await sigstore.signKeyless(OTHER, ALICE);
          return change(bundle, ENTRIES, [valueAt(bundle, ENTRY), valueAt(other, ENTRY)]);
        }),
      );
      assert.match(message, /names another signer/);
    });

    it('11: is denied when it is missing, null, or an empty list', async () => {
      for (const value of [undefined, null, []]) {
        const review = await reviewOfSigned((bundle) => change(bundle, ENTRIES, value), {
          omitTimestamp: false,
        });
        const { message } = await denied(review);
        assert.match(message, /it has entries of 0 logs that TrustRoot "private" knows, 1 are required/);
      }
    });

    for (const [what, [tamper, problem]] of Object.entries(TAMPERED))
      it(`12: is denied with another ${what}`, async () => {
        const { message } = await denied(await reviewOfSigned(tamper, { omitTimestamp: false }));
        assert.match(message, problem);
      });

    it('12: is denied without its inclusion proof', async () => {
      const { message } = await denied(await reviewOfSigned((bundle) => change(bundle, PROOF, null)));
      assert.match(message, /a log entry has no inclusion proof/);
    });

    it('12: is denied when the trust root does not know the log', async () => {
      const stranger = createTransparencyLog(rekor, 'https://rekor.models.test');
      const other = await startKeyless(registry, trustedRootOf(sigstore, { logs: [stranger] }));
      try {
        const review = await reviewOfSigned((bundle) => bundle, { omitTimestamp: false });
        const { message } = await expectDenied(other, review, INVALID);
        assert.match(message, /entries of 0 logs that TrustRoot "private" knows, 1 are required; sign again/);
      } finally {
        await other.stop();
      }
    });

    it('12: is denied when a stranger signed it in the name and under the id of the log', async () => {
      const stranger = createTransparencyLog(rekor, 'https://rekor.models.test');
      const { message } = await denied(
        await reviewOfSigned(
          (bundle) => {
            const body = Buffer.from(valueAt(bundle, [...ENTRY, 'canonicalizedBody']) as string, 'base64');
            const { kind, version } = valueAt(bundle, [...ENTRY, 'kindVersion']) as {
              kind: string;
              version: string;
            };
            const forged = stranger.append({ kind, version, body }, new Date());
            return change(bundle, ENTRIES, [{ ...forged, logId: valueAt(bundle, [...ENTRY, 'logId']) }]);
          },
          { omitTimestamp: false },
        ),
      );
      assert.match(message, /signed entry timestamp is not by the log|is not signed by the log/);
    });

    if (rekor === 'v1')
      for (const [what, path] of [
        ['promise', [...ENTRY, 'inclusionPromise', 'signedEntryTimestamp']],
        ['time', [...ENTRY, 'integratedTime']],
        ['index in all shards', [...ENTRY, 'logIndex']],
      ] as const)
        it(`12: is denied with another ${what} beside a good proof`, async () => {
          const { message } = await denied(
            await reviewOfSigned((bundle) => {
              const value = valueAt(bundle, path) as string;
              return change(bundle, path, what === 'promise' ? flip(value) : String(Number(value) - 60));
            }),
          );
          assert.match(message, /the signed entry timestamp is not by the log/);
        });

    if (rekor === 'v1')
      it('12: gives no time without its promise', async () => {
        const review = await reviewOfSigned((bundle) => change(bundle, [...ENTRY, 'inclusionPromise'], null));
        const { message } = await expectDenied(controller, review, {
          code: 403,
          reasons: ['TimestampInvalid'],
        });
        assert.match(message, /it has times of 0 authorities that TrustRoot "private" knows/);
      });
  });
