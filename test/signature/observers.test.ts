// Which times and entries count? What verifyObservations() says about evidence that no signer would bring along.
import assert from 'node:assert/strict';
import { change, createWorld, outcome, valueAt, verify, type Path } from './support.ts';

const ENTRY: Path = ['verificationMaterial', 'tlogEntries', 0];

describe('verifyObservations()', () => {
  it('refuses a promised time beyond all dates', async () => {
    const { authority, sigstore, sign } = await createWorld('v1');
    const bundle = await sign();
    const { canonicalizedBody, kindVersion } = valueAt(bundle, ENTRY) as {
      canonicalizedBody: string;
      kindVersion: { kind: string; version: string };
    };
    const body = Buffer.from(canonicalizedBody, 'base64');
    class Late extends Date {
      override getTime(): number {
        return 9e18;
      }
    }
    const late = change(bundle, ENTRY, sigstore.log.append({ ...kindVersion, body }, new Late()));
    assert.throws(() => verify(late, authority), { reason: 'TimestampInvalid', message: /beyond all dates/ });
  });

  it('lets no certificate count without any time, whatever is required', async () => {
    const { authority, sign } = await createWorld('v2');
    const bundle = await sign({ omitTimestamp: true });
    const requirements = { ...authority.requirements, timestamps: 0 };
    assert.equal(outcome(bundle, { ...authority, requirements }), 'TimestampInvalid');
  });
});
