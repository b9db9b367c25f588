// Signed by two people of the list, by one of them once and twice, and by one with a stranger.
import { createSigstore } from '../../../src/demo/sigstore.ts';
import { trustRoot, type PolicyMaterial } from '../recorder.ts';
import { packPlain, signAs } from './models.ts';

const ISSUER = 'https://accounts.google.com';

/** Material of policies/two-person-rule. */
export const TWO_PERSON_RULE: PolicyMaterial = {
  policy: 'two-person-rule',
  make: async (kit) => {
    const sigstore = await createSigstore();
    const sign = async (name: string, ...people: readonly string[]): Promise<void> => {
      const model = packPlain(kit, name);
      for (const person of people)
        await signAs(kit, model, {
          sigstore,
          identity: { issuer: ISSUER, subject: `${person}@acme.example` },
        });
    };
    await sign('trained-and-reviewed', 'alice', 'carol');
    await sign('other-two', 'dave', 'bob');
    await sign('trained-by-a-reviewer', 'bob', 'carol');
    await sign('one-person', 'bob');
    await sign('one-person-twice', 'bob', 'bob');
    await sign('two-trainers', 'alice', 'dave');
    await sign('with-stranger', 'carol', 'mallory');
    return [trustRoot('public-good', sigstore.trustedRootJson())];
  },
};
